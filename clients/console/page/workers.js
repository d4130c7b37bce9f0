// The workers: one row each. The row of a removed worker stays for half a minute, with its requests on
// their way to the next worker.

import { repeat } from "/lit-html/directives/repeat.js";
import { html, nothing } from "/lit-html/lit-html.js";
import { count, duration, plural, seconds, shortId, workerName } from "./format.js";

const REASONS = {
  gone: "its connection broke",
  expired: "its lease ended",
  left: "it left",
  rejected: "it broke the protocol",
};

/** In a list longer than this, removed workers come first, so that nobody must scroll to see them. */
const LONG = 30;

/** The rows of these workers. `most`: the most rows; the rest is counted. */
export function workersSection(view, { filter, setFilter, most }) {
  const matching = view.workers.filter((worker) => matches(worker, filter));
  const all = matching.length > LONG ? removedFirst(matching) : matching;
  const shown = all.slice(0, most);
  const withBroker = view.brokers.length > 1;
  const registered = view.workers.filter(({ removed }) => removed === null).length;
  const left = all.length - shown.length + view.workersLeftOut;
  return html`<section aria-labelledby="workers-title">
    <div class="section-head">
      <h2 id="workers-title">Workers <span class="faint">${count(registered)}</span></h2>
      <input
        type="search"
        placeholder="Filter: service, name, state"
        aria-label="Filter workers"
        .value=${filter}
        @input=${({ target }) => setFilter(target.value)}
      />
    </div>
    ${
      view.workers.length === 0
        ? html`<div class="empty">
          <p>No worker is registered.</p>
          <p>Start one: <code>docker compose up -d echo</code> or <code>npm run echo</code></p>
        </div>`
        : html`<div class=${withBroker ? "workers with-broker" : "workers"} role="table" aria-label="Workers">
          <div class="row head" role="row">
            <span role="columnheader">State</span>
            <span role="columnheader">Service</span>
            <span role="columnheader">Worker</span>
            ${withBroker ? html`<span role="columnheader">Broker</span>` : nothing}
            <span role="columnheader">Requests in flight, with their age</span>
            <span role="columnheader">Last sign of life, removed in</span>
          </div>
          ${repeat(
            shown,
            ({ key }) => key,
            (worker) => row(worker, withBroker),
          )}
        </div>`
    }
    ${left > 0 ? html`<p class="faint">${plural(left, "more worker")}. <a href="#workers">All workers</a></p>` : nothing}
  </section>`;
}

function matches({ service, name, address, remote, state, broker }, filter) {
  const text = `${service} ${name ?? ""} ${address} ${remote ?? ""} ${state} ${broker}`;
  return filter.split(" ").every((word) => text.includes(word));
}

const removedFirst = (workers) => [
  ...workers.filter(({ removed }) => removed !== null),
  ...workers.filter(({ removed }) => removed === null),
];

function row(worker, withBroker) {
  const { state, service, remote, broker, removed, key } = worker;
  return html`<div class="row ${state}" role="row" data-worker=${key}>
    <span role="cell" class="state"><i aria-hidden="true"></i>${state}</span>
    <span role="cell" class="service">${service}</span>
    <span role="cell" class="name">
      <b>${workerName(worker)}</b>${remote ? html`<span class="faint">${remote}</span>` : nothing}
    </span>
    ${withBroker ? html`<span role="cell" class="faint">${broker}</span>` : nothing}
    ${removed ? lost(removed) : alive(worker)}
  </div>`;
}

function alive({ inFlight, abandoned, credit, requests, silentMs, expiresInMs }) {
  const more = inFlight - requests.length;
  const leaseMs = (silentMs ?? 0) + (expiresInMs ?? 0);
  return html`<span role="cell" class="requests">
      ${requests.map(
        ({ request, ageMs, isMoved }) => html`<span
          class=${isMoved ? "chip moved" : "chip"}
          title=${isMoved ? `${request}: lost another worker, and is here now` : request}
          >${isMoved ? "→ " : ""}${shortId(request)} <span class="age">${duration(ageMs)}</span></span
        >`,
      )}
      ${more > 0 ? html`<span class="faint">${count(more)} more</span>` : nothing}
      ${abandoned > 0 ? html`<span class="faint">${count(abandoned)} abandoned</span>` : nothing}
      ${inFlight + abandoned === 0 ? html`<span class="faint">none</span>` : nothing}
      <span class="slots faint">${count(inFlight + abandoned)} of ${count(credit ?? 1)}</span>
    </span>
    <span role="cell" class="lease">
      ${
        silentMs === null
          ? html`<span class="faint">–</span>`
          : html`<span>${seconds(silentMs)} ago</span>
            <progress max=${leaseMs} .value=${expiresInMs} aria-label="The rest of its lease"></progress>
            <span class="faint">${seconds(expiresInMs)}</span>`
      }
    </span>`;
}

function lost({ reason, agoMs, requeued, brokenOff, quarantined, requests }) {
  const more = requeued + brokenOff + quarantined - requests.length;
  const counts = [
    requeued > 0 ? `${count(requeued)} requeued` : "",
    brokenOff > 0 ? `${count(brokenOff)} broken off` : "",
    quarantined > 0 ? `${count(quarantined)} quarantined` : "",
  ].filter((text) => text !== "");
  return html`<span role="cell" class="requests">
      ${requests.map(moved)} ${more > 0 ? html`<span class="faint">${count(more)} more</span>` : nothing}
      ${requests.length === 0 ? html`<span class="faint">nothing in flight</span>` : nothing}
    </span>
    <span role="cell" class="lease"
      ><span
        >${REASONS[reason] ?? reason}, ${seconds(agoMs)} ago${
          counts.length > 0 ? html`; ${counts.join(", ")}` : nothing
        }</span
      ></span
    >`;
}

function moved({ request, state, worker, name }) {
  const target = name ?? (worker ? worker.slice(0, 12) : "");
  const now = {
    queued: "waits for a worker",
    "in flight": `→ ${target}`,
    ended: target === "" ? "ended" : `✓ ${target}`,
  }[state];
  return html`<span class="chip moving ${state.replace(" ", "-")}" title=${`${request}: ${state}`}
    >${shortId(request)} <span class="age">${now}</span></span
  >`;
}
