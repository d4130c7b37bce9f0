// The dead letters: requests that the broker quarantined, without their bodies.

import { html, nothing } from "/lit-html/lit-html.js";
import { clock, count, plural, shortId } from "./format.js";

export const deadLettersView = ({
  deadLetters,
  brokers,
}) => html`<section aria-labelledby="dead-title">
  <div class="section-head">
    <h2 id="dead-title">Dead letters <span class="faint">${count(deadLetters.length)}</span></h2>
  </div>
  <p class="faint">
    A request is quarantined when several workers were removed while they had it. Its client has status 502.
  </p>
  ${
    deadLetters.length === 0
      ? html`<p class="empty">No request is quarantined.</p>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="Dead letters"><table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Service</th>
            <th scope="col">Request</th>
            <th scope="col">Deliveries</th>
            <th scope="col">Last worker</th>
            ${brokers.length > 1 ? html`<th scope="col">Broker</th>` : nothing}
          </tr>
        </thead>
        <tbody>
          ${deadLetters.toReversed().map(
            ({ at, service, request, deliveries, worker, broker }) => html`<tr>
              <td><time>${clock(at)}</time></td>
              <td><b>${service}</b></td>
              <td><code title=${request}>${shortId(request)}</code></td>
              <td>${plural(deliveries, "worker")}</td>
              <td><code>${worker}</code></td>
              ${brokers.length > 1 ? html`<td>${broker}</td>` : nothing}
            </tr>`,
          )}
        </tbody>
      </table></div>`
  }
</section>`;
