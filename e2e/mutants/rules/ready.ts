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
    rule: "A worker never probes again after a break.",
    file: "workers/ready-choice.ts",
    find: "    this.#breaks = 0;\n    this.#form = PLAIN;",
    replace: "    this.#form = PLAIN;",
  },
  {
    rule: "A worker with MDP_READY=plain sends probes.",
    file: "workers/ready-choice.ts",
    find: 'plainOnly ? PLAIN : "probes"',
    replace: '"probes"',
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
    rule: "A worker that opens another session abandons its requests.",
    file: "workers/session-states.ts",
    find: 'outdone: "renewing",   bytes: "confirmed"',
    replace: 'outdone: "closing",   bytes: "confirmed"',
  },
  {
    rule: "A worker that opens another session takes requests.",
    file: "workers/session.ts",
    find: 'const isAccepted = this.#state === "confirmed" &&',
    replace: 'const isAccepted = (this.#state === "confirmed" || this.#state === "renewing") &&',
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
];
