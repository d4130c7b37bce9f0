// The worker's choice of READY, and the pairs and metadata that follow from it.

import type { Mutant } from "../mutant.ts";

export const READY: Mutant[] = [
  {
    rule: "A worker sends a credit to a broker without mmi.ready and mmi.call.",
    file: "workers/ready-choice.ts",
    find: "if (has) return this.#extend(probe);",
    replace: "return this.#extend(probe);",
  },
  {
    rule: "A worker sends keys to a broker of 0.1.0.",
    file: "workers/ready-choice.ts",
    find: 'about: probe === "mmi.ready" ? about : null',
    replace: "about",
  },
  {
    rule: "A worker sends no keys to a broker that has mmi.ready.",
    file: "workers/ready-choice.ts",
    find: 'about: probe === "mmi.ready" ? about : null',
    replace: "about: null",
  },
  {
    rule: "A worker does not wait for the second reply.",
    file: "workers/ready-choice.ts",
    find: 'this.#form || probe === "mmi.ready" ? null',
    replace: "this.#form ? null",
  },
  {
    rule: "A worker chooses READY once more after its READY was extended.",
    file: "workers/ready-choice.ts",
    find: " || (this.#form && this.#form.credit !== null)",
    replace: "",
  },
  {
    rule: "A worker waits for replies no longer at an address that has replied 200.",
    file: "workers/ready-choice.ts",
    find: "this.#probesWorked ? Math.max(PROBE_MS, this.#options.leaseMs) : PROBE_MS",
    replace: "PROBE_MS",
  },
  {
    rule: "A worker probes again after each DISCONNECT or break instead of replies.",
    file: "workers/ready-choice.ts",
    find: "if (isRejected) return this.unanswered();",
    replace: "",
  },
  {
    rule: "One break where a broker has replied 200 before makes a worker plain.",
    file: "workers/ready-choice.ts",
    find: "this.#breaks >= (this.#probesWorked ? 2 : 1)",
    replace: "this.#breaks >= 1",
  },
  {
    rule: "A worker never probes again after a break.",
    file: "workers/ready-choice.ts",
    find: "    this.#breaks = 0;\n    this.#form = PLAIN;",
    replace: "    this.#form = PLAIN;",
  },
  {
    rule: "DISCONNECT instead of replies does not count as a rejection of the probes.",
    file: "workers/session.ts",
    find: "    if (isBeforeReady(this.#state)) this.#readyChoice.brokeOff();\n",
    replace: "",
  },
  {
    rule: "A worker with MDP_READY=plain sends probes.",
    file: "workers/ready-choice.ts",
    find: 'plainOnly ? PLAIN : "probes"',
    replace: '"probes"',
  },
  {
    rule: "A worker that streams never tries 18/MDP at a broker without extensions.",
    file: "workers/ready-choice.ts",
    find: "streams ? [{ ...PLAIN, dialect: MDP_0_2 }] : []",
    replace: "[]",
  },
  {
    rule: "A worker keeps the dialect of its last READY after the broker answered.",
    file: "workers/ready-choice.ts",
    find: "  understood() {\n    this.#index = 0;",
    replace: "  understood() {",
  },
  {
    rule: "Silence after an extended READY makes a worker try other dialects.",
    file: "workers/ready-choice.ts",
    find: "isPlain ? (this.#index + 1) % this.#openings.length : 0",
    replace: "(this.#index + 1) % this.#openings.length",
  },
  {
    rule: "A worker sends HEARTBEAT before READY.",
    file: "workers/session.ts",
    find: "if (now < this.#heartbeatAt || isBeforeReady(this.#state)) return [];",
    replace: "if (now < this.#heartbeatAt) return [];",
  },
  {
    rule: "A worker gives up a broker that does not reply to probes.",
    file: "workers/session.ts",
    find: 'if (this.#state === "probing") {',
    replace: "if (false) {",
  },
  {
    rule: "A 200 after READY changes nothing.",
    file: "workers/session.ts",
    find: 'if (!this.#transition("outdone")) return [];',
    replace: "if (true) return [];",
  },
  {
    rule: "A worker that opens another session abandons its requests.",
    file: "workers/session-states.ts",
    find: 'outdone: "renewing" },\n  renewing',
    replace: 'outdone: "closing" },\n  renewing',
  },
  {
    rule: "A worker that opens another session takes requests.",
    file: "workers/session.ts",
    find: 'command.name !== "REQUEST" || this.#state !== "confirmed"',
    replace:
      'command.name !== "REQUEST" || (this.#state !== "confirmed" && this.#state !== "renewing")',
  },
  {
    rule: "A worker that stops before READY sends DISCONNECT.",
    file: "workers/session.ts",
    find: 'if (isBeforeReady(before)) return [draining, { do: "close" }, { do: "stopped" }];',
    replace:
      'if (isBeforeReady(before)) return [draining, this.#leave(now), { do: "close" }, { do: "stopped" }];',
  },
  {
    rule: "A worker that stops while another session opens sends DISCONNECT twice.",
    file: "workers/session.ts",
    find: '    if (before === "closing") return [draining];\n',
    replace: "",
  },
  {
    rule: "A worker accepts pairs and metadata from a broker that got no keys.",
    file: "workers/session.ts",
    find: "decode(frames, this.#isExtended)",
    replace: "decode(frames, true)",
  },
  {
    rule: "A worker ignores metadata.",
    file: "workers/session.ts",
    find: "      metadata,\n      body,\n",
    replace: "      metadata: undefined,\n      body,\n",
  },
  {
    rule: "A cancelled request aborts no handler.",
    file: "workers/session.ts",
    find: 'if (pair.name === "cancel")',
    replace: 'if (pair.name === "recall")',
  },
  {
    rule: "A cancel aborts every handler.",
    file: "workers/session.ts",
    find: '.filter(([, { client }]) => cancelled.has(client.toString("latin1")))',
    replace: ".filter(() => cancelled.size > 0)",
  },
  {
    rule: "A handler sees the request id though the caller gave a call id.",
    file: "workers/job.ts",
    find: "handlerId(this.request.metadata, this.request.client)",
    replace: "handlerId(undefined, this.request.client)",
  },
];
