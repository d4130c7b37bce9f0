// The events of all brokers, the newest first.

import { repeat } from "/lit-html/directives/repeat.js";
import { html, nothing } from "/lit-html/lit-html.js";
import { clock, count, plural, shortId } from "./format.js";
import { live } from "./live.js";

/** The events at the moment of the pause; null: not paused. */
let paused = null;

/** The last few events, beside the workers. */
export const latestEvents = (withBroker) => html`<section aria-labelledby="latest-title">
  <div class="section-head">
    <h2 id="latest-title">Events</h2>
    <a href="#events">All events</a>
  </div>
  ${list(live.events.slice(-14).reverse(), withBroker)}
</section>`;

/** The view with all events. `redraw` follows a change of the pause. */
export function eventsView({ filter, setFilter, withBroker, redraw }) {
  const all = paused ?? live.events;
  const words = filter.toLowerCase().split(" ");
  const matching = all.filter((event) => {
    const text = textOf(event);
    return words.every((word) => text.includes(word));
  });
  const missed = paused
    ? live.events.filter(({ nth }) => nth > (paused.at(-1)?.nth ?? 0)).length
    : 0;
  const toggle = () => {
    paused = paused ? null : live.events;
    redraw();
  };
  return html`<section aria-labelledby="events-title">
    <div class="section-head">
      <h2 id="events-title">Events <span class="faint">${count(matching.length)}</span></h2>
      <input
        type="search"
        placeholder="Filter: event, sentence, request id"
        aria-label="Filter events"
        .value=${filter}
        @input=${({ target }) => setFilter(target.value)}
      />
      <button type="button" aria-pressed=${paused !== null} @click=${toggle}>
        ${paused ? `Resume (${plural(missed, "new event")})` : "Pause"}
      </button>
    </div>
    ${list(matching.toReversed(), withBroker, "events all")}
  </section>`;
}

const textOf = ({ event, sentence, broker, worker, requests }) =>
  `${event} ${sentence} ${broker} ${worker} ${requests.map((id) => `${id} ${shortId(id)}`).join(" ")}`.toLowerCase();

function list(events, withBroker, kind = "events") {
  if (events.length === 0) return html`<p class="empty">No events yet.</p>`;
  return html`<ol class=${kind}>
    ${repeat(
      events,
      ({ nth }) => nth,
      ({
        at,
        event,
        sentence,
        isBad,
        broker,
        worker,
        requests,
      }) => html`<li class=${isBad ? "bad" : nothing}>
        <time>${clock(at)}</time>
        <span class="sentence">${sentence}</span>
        <span class="fields faint"
          ><code>${event}</code>${worker ? html` ${worker}` : nothing}${withBroker ? html` ${broker}` : nothing}${
            requests.length > 0
              ? html` <span title=${requests.join(", ")}>${requests.slice(0, 3).map(shortId).join(" ")}${requests.length > 3 ? " …" : ""}</span>`
              : nothing
          }</span
        >
      </li>`,
    )}
  </ol>`;
}
