// The form that calls a service. It needs the token that the console printed at its start.

import { html, nothing } from "/lit-html/lit-html.js";
import { duration } from "./format.js";

const state = {
  token: tokenFromAddress(),
  service: "echo",
  body: "hello",
  linePerFrame: false,
  timeoutS: 10,
  /** Lines of the answer so far. */
  lines: [],
  /** Ends the call; null: none runs. */
  cancel: null,
  problem: "",
};

/** Takes the token out of `#token=…`, so that it stays in this tab only. */
function tokenFromAddress() {
  const [, token] = /^#token=([0-9a-f]{32})$/.exec(location.hash) ?? [];
  if (token) {
    sessionStorage.setItem("token", token);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token") ?? "";
}

/** Whether the page may act. */
export const hasToken = () => state.token !== "";

export function callView(services, redraw) {
  const set =
    (name) =>
    ({ target }) => {
      state[name] = target.type === "checkbox" ? target.checked : target.value;
      redraw();
    };
  const submit = (event) => {
    event.preventDefault();
    call(redraw);
  };
  return html`<section class="call" aria-labelledby="call-title">
    <div class="section-head"><h2 id="call-title">Call a service</h2></div>
    <div class="columns">
      <form @submit=${submit}>
        <label
          >Service<input
            list="services"
            name="service"
            required
            autocomplete="off"
            .value=${state.service}
            @input=${set("service")}
          /><datalist id="services">
            ${services.map(({ service }) => html`<option value=${service}></option>`)}
          </datalist></label
        >
        <label
          >Body<textarea name="body" rows="6" spellcheck="false" .value=${state.body} @input=${set("body")}></textarea
        ></label>
        <label class="check"
          ><input type="checkbox" .checked=${state.linePerFrame} @change=${set("linePerFrame")} /> Each
          line is a frame</label
        >
        <label
          >Time to wait, in seconds<input
            name="timeout"
            type="number"
            min="0.1"
            max="600"
            step="any"
            required
            .value=${String(state.timeoutS)}
            @input=${set("timeoutS")}
        /></label>
        <label
          >Token<input
            name="token"
            type="password"
            autocomplete="off"
            aria-describedby="token-help"
            .value=${state.token}
            @input=${set("token")}
        /></label>
        <p id="token-help" class="faint">
          The console printed the token at its start: open the address with <code>#token=…</code>, or paste
          the token here. In compose: <code>docker compose logs console</code>
        </p>
        <p class="buttons">
          <button type="submit" class="primary" ?disabled=${state.cancel !== null}>Call</button>
          <button type="button" ?disabled=${state.cancel === null} @click=${() => state.cancel?.()}>Cancel</button>
        </p>
      </form>
      <div class="answer" aria-live="polite">${answer()}</div>
    </div>
  </section>`;
}

function answer() {
  const parts = state.lines.filter(({ part }) => part);
  const last = state.lines.find(({ status }) => status !== undefined);
  if (state.problem !== "") return html`<p class="bad-text">${state.problem}</p>`;
  if (state.lines.length === 0)
    return html`<p class="empty">${state.cancel ? "Waiting for the reply …" : "The reply appears here."}</p>`;
  return html`<p>
      ${
        last
          ? html`<b class=${last.status === 200 ? "good-text" : "bad-text"}
              >${last.status === 0 ? last.code || "failed" : last.status}</b
            >
            ${last.sentence} <span class="faint">after ${duration(last.ms)}</span>`
          : html`<span class="faint">The reply has begun …</span>`
      }
    </p>
    ${
      parts.length > 0
        ? html`<ol class="parts">
          ${parts.map(
            ({ part, ms }) => html`<li>
              ${parts.length > 1 ? html`<span class="faint">after ${duration(ms)}</span>` : nothing}
              ${part.map((frame) => html`<pre tabindex="0">${frame}</pre>`)}
            </li>`,
          )}
        </ol>`
        : nothing
    }`;
}

async function call(redraw) {
  const abort = new AbortController();
  Object.assign(state, { lines: [], problem: "", cancel: () => abort.abort() });
  redraw();
  try {
    const { service, body, linePerFrame, timeoutS, token } = state;
    const frames = linePerFrame ? body.split("\n") : [body];
    const response = await fetch("/api/call", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ service, frames, timeoutMs: Math.round(timeoutS * 1000) }),
      signal: abort.signal,
    });
    if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).trim()}`);
    if (token !== "") sessionStorage.setItem("token", token);
    await readLines(response, redraw);
  } catch (error) {
    state.problem = abort.signal.aborted ? "Cancelled." : error.message;
  }
  state.cancel = null;
  redraw();
}

async function readLines(response, redraw) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value = "" } = await reader.read();
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    state.lines.push(...lines.map((line) => JSON.parse(line)));
    redraw();
    if (done) return;
  }
}
