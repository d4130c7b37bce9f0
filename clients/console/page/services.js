// The services: one card each, with the course of five minutes.

import { repeat } from "/lit-html/directives/repeat.js";
import { html, nothing } from "/lit-html/lit-html.js";
import { count, duration, plural, rate } from "./format.js";
import { live } from "./live.js";

/** More cards than this would be slow to draw: the filter finds the others. */
const CARDS_MAX = 60;

/** The cards of the services whose name has this text. */
export function servicesSection(services, filter, setFilter) {
  const chosen = services.filter(({ service }) => service.includes(filter));
  const shown = chosen.slice(0, CARDS_MAX);
  return html`<section aria-labelledby="services-title">
    <div class="section-head">
      <h2 id="services-title">Services</h2>
      ${
        services.length > 6 || filter !== ""
          ? html`<input
            type="search"
            placeholder="Filter services"
            aria-label="Filter services"
            .value=${filter}
            @input=${({ target }) => setFilter(target.value)}
          />`
          : nothing
      }
      <span class="legend" aria-hidden="true">last five minutes</span>
    </div>
    ${services.length === 0 ? noServices() : nothing}
    <div class="cards">${repeat(shown, ({ service }) => service, card)}</div>
    ${
      chosen.length > shown.length
        ? html`<p class="faint">
          ${plural(chosen.length - shown.length, "more service")}: use the filter.
        </p>`
        : nothing
    }
  </section>`;
}

const noServices = () => html`<div class="empty">
  <p>No worker has registered, and no request waits.</p>
  <p>Start a worker: <code>docker compose up -d echo</code> or <code>npm run echo</code></p>
</div>`;

function card(figures) {
  const { service, workers, idle, queued, inFlight, openMax, oldestMs } = figures;
  const samples = live.samples[service] ?? [];
  const of = (name) => samples.map((sample) => sample[name]);
  const isStuck = workers === 0 && queued > 0;
  return html`<article class=${isStuck ? "card bad" : "card"} aria-label=${`Service ${service}`}>
    <header>
      <h3>${service}</h3>
      <span class=${isStuck ? "bad-text" : "faint"}>
        ${workers === 0 ? "no worker" : `${plural(workers, "worker")}, ${count(idle)} idle`}
      </span>
    </header>
    <div class="charts">
      <div>
        <p class="figure"><span class="value">${rate(figures.perSecond)}</span> replies/s</p>
        <spark-line
          role="img"
          aria-label=${`Replies per second of ${service}, five minutes`}
          .names=${["accent"]}
          .values=${[of("perSecond")]}
        ></spark-line>
      </div>
      <div>
        <p class="figure">
          <span class="key p50">p50</span> <span class="value">${duration(figures.p50Ms)}</span>
          <span class="key p99">p99</span> <span class="value">${duration(figures.p99Ms)}</span>
        </p>
        <spark-line
          role="img"
          aria-label=${`Latencies of ${service}, five minutes`}
          .names=${["p50", "p99"]}
          .values=${[of("p50Ms"), of("p99Ms")]}
        ></spark-line>
      </div>
    </div>
    <div class="queue">
      <span>
        <b>${count(queued)}</b> queued${queued > 0 ? html`, oldest ${duration(oldestMs)}` : nothing}
      </span>
      ${
        openMax === null
          ? nothing
          : html`<progress
              max=${openMax}
              .value=${queued + inFlight}
              aria-label=${`Open requests of ${service}, of the most possible`}
            ></progress>
            <span class="faint" title="The most open requests, queued or in flight"
              >bound ${count(openMax)}</span
            >`
      }
    </div>
    <dl class="inline">
      <div><dt>in flight</dt><dd>${count(inFlight)}</dd></div>
      <div><dt>requeued</dt><dd>${count(figures.requeued)}</dd></div>
      <div class=${figures.quarantined > 0 ? "bad-text" : nothing}>
        <dt>quarantined</dt><dd>${count(figures.quarantined)}</dd>
      </div>
    </dl>
  </article>`;
}
