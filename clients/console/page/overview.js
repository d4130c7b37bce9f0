// The overview: totals, services, workers and the latest events.

import { html, nothing } from "/lit-html/lit-html.js";
import { latestEvents } from "./events.js";
import { count, rate } from "./format.js";
import { servicesSection } from "./services.js";
import { workersSection } from "./workers.js";

const WORKERS_MAX = 60;

export const overview = (view, filters) => html`${totals(view)}
  ${servicesSection(view.services, filters.services, filters.set("services"))}
  <div class="columns wide-left">
    ${workersSection(view, {
      filter: filters.workers,
      setFilter: filters.set("workers"),
      most: WORKERS_MAX,
    })}
    ${latestEvents(view.brokers.length > 1)}
  </div>
  ${tryThis(view.workers)}`;

function totals({ brokers, services }) {
  const sum = (name) => brokers.reduce((total, broker) => total + broker[name], 0);
  const perSecond = services.reduce((total, each) => total + (each.perSecond ?? 0), 0);
  const drifts = brokers.map(({ drift }) => drift).filter((drift) => drift !== null);
  const drift = drifts.reduce((total, each) => total + Math.abs(each), 0);
  return html`<dl class="totals" aria-label="Totals">
    ${total("replies/s", rate(perSecond))} ${total("queued", count(sum("queued")))}
    ${total("in flight", count(sum("inFlight")))} ${total("workers", count(sum("workers")))}
    ${total("received", count(sum("received")))} ${total("requeued", count(sum("requeued")))}
    ${total("quarantined", count(sum("quarantined")), sum("quarantined") > 0)}
    ${total("accounting drift", drifts.length === 0 ? "–" : count(drift), drift > 0)}
  </dl>`;
}

const total = (name, value, isBad = false) => html`<div class=${isBad ? "bad-text" : nothing}>
  <dt>${name}</dt>
  <dd>${value}</dd>
</div>`;

/** The name of a worker has its host and its process id. The host of a container is the id of it. */
function tryThis(workers) {
  const names = workers.filter(({ removed }) => removed === null).map(({ name }) => name ?? "");
  const [, host = "", pid = ""] =
    /^(.+):(\d+)$/.exec(names.find((name) => name !== "") ?? "") ?? [];
  const isContainer = /^[0-9a-f]{12}$/.test(host);
  const kill = isContainer ? `docker kill ${host}` : pid ? `kill -9 ${pid}` : "";
  return html`<aside class="try" aria-label="Try this">
    <h2>Try this</h2>
    <ul>
      ${
        kill === ""
          ? nothing
          : html`<li>Kill a worker, and watch its requests move: <code>${kill}</code></li>`
      }
      <li>
        Start more workers:
        <code>${isContainer ? "docker compose up -d --scale echo=5" : "npm run echo"}</code>
      </li>
      <li>
        Restart the broker:
        <code>${isContainer ? "docker compose restart broker" : "Ctrl-C, then npm run broker"}</code>
      </li>
    </ul>
  </aside>`;
}
