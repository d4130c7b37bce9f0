// The page: chooses the view by the address, and renders it with each change of the live data.

import { html, nothing, render } from "/lit-html/lit-html.js";
import { callView, hasToken } from "./call.js";
import { deadLettersView } from "./dead-letters.js";
import { eventsView } from "./events.js";
import { count } from "./format.js";
import { connect, live } from "./live.js";
import { overview } from "./overview.js";
import "./spark.js";
import { workersSection } from "./workers.js";

const root = document.getElementById("app");
root.replaceChildren();
const WORKERS_MAX = 1000;

const filters = {
  services: "",
  workers: "",
  events: "",
  set: (name) => (value) => {
    filters[name] = value;
    redraw();
  },
};

/** The last thing that a screen reader should say. */
let announcement = "";

const VIEWS = {
  overview: { title: "Overview", show: (view) => overview(view, filters) },
  workers: {
    title: "Workers",
    show: (view) =>
      workersSection(view, {
        filter: filters.workers,
        setFilter: filters.set("workers"),
        most: WORKERS_MAX,
      }),
  },
  events: {
    title: "Events",
    show: (view) =>
      eventsView({
        filter: filters.events,
        setFilter: filters.set("events"),
        withBroker: view.brokers.length > 1,
        redraw,
      }),
  },
  "dead-letters": {
    title: "Dead letters",
    badge: ({ deadLetters }) => deadLetters.length,
    show: deadLettersView,
  },
  call: { title: "Call", show: ({ services }) => callView(services, redraw) },
};

const viewName = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "overview");

let isDue = false;
function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    render(page(), root);
  });
}

function page() {
  const { view } = live;
  const current = viewName();
  document.title = `${VIEWS[current].title} – Majordomo console`;
  return html`<a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="top">
      <h1><img src="/icon.svg" alt="" width="22" height="22" />Majordomo</h1>
      <nav aria-label="Views">
        ${Object.entries(VIEWS).map(
          ([name, { title, badge }]) => html`<a
            href=${`#${name}`}
            aria-current=${name === current ? "page" : nothing}
            >${title}${
              badge && view && badge(view) > 0
                ? html` <span class="badge">${count(badge(view))}</span>`
                : nothing
            }</a
          >`,
        )}
      </nav>
      <ul class="brokers" aria-label="Brokers">
        ${view?.brokers.map(brokerPill)}
        <li class="mode">${hasToken() ? "calls allowed" : "read-only"}</li>
      </ul>
    </header>
    <main id="main" tabindex="-1">
      ${banners(view)}
      ${view ? VIEWS[current].show(view) : html`<p class="loading">Connecting to the console …</p>`}
    </main>
    <p class="visually-hidden" role="status">${announcement}</p>`;
}

const brokerPill = ({ endpoint, state }) => html`<li class=${`broker ${state}`}>
  <i aria-hidden="true"></i>${endpoint} <b>${STATES[state]}</b>
</li>`;

const STATES = {
  connecting: "connecting",
  up: "up",
  restarted: "restarted",
  unreachable: "no answer",
  draining: "stopping",
};

function banners(view) {
  if (!live.isOpen && live.wasOpen)
    return banner("bad", "The console does not answer. The figures are those of the last moment.");
  const down = (view?.brokers ?? []).filter(({ state }) => state === "unreachable");
  const back = (view?.brokers ?? []).filter(({ state }) => state === "restarted");
  return html`${down.map(({ endpoint, reason }) =>
    banner(
      "bad",
      html`The broker at ${endpoint} does not answer: ${reason}. Start it: <code>docker compose up -d
        broker</code> or <code>npm run broker</code>`,
    ),
  )}
  ${back.map(({ endpoint }) =>
    banner(
      "warn",
      `The broker at ${endpoint} restarted. Its workers register again, and clients send their requests again.`,
    ),
  )}`;
}

const banner = (kind, text) => html`<p class="banner ${kind}">${text}</p>`;

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

addEventListener("hashchange", () => {
  redraw();
  scrollTo(0, 0);
});
connect((events) => {
  const bad = events.filter(({ isBad }) => isBad).at(-1);
  if (bad) announcement = bad.sentence;
  redraw();
});
redraw();
