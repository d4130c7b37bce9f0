// The worker's session.

import type { Mutant } from "../mutant.ts";

export const WORKER: Mutant[] = [
  {
    rule: "A worker announces no credit.",
    file: "workers/session.ts",
    find: "service: toFrame(service), credit }",
    replace: "service: toFrame(service), credit: null }",
  },
  {
    rule: "A worker is ready before it has received anything.",
    file: "workers/session.ts",
    find: "this.#connected && this.#confirmed && !this.#draining",
    replace: "this.#connected && !this.#draining",
  },
  {
    rule: "A worker sends no HEARTBEAT.",
    file: "workers/session.ts",
    find: "const beat = this.#connected && now >= this.#heartbeatAt;",
    replace: "const beat = now === Infinity;",
  },
  {
    rule: "A busy worker sends no HEARTBEAT.",
    file: "workers/session.ts",
    find: "const beat = this.#connected && now >= this.#heartbeatAt;",
    replace: "const beat = this.#connected && this.#inHand.size === 0 && now >= this.#heartbeatAt;",
  },
  {
    rule: "A worker never gives up a silent broker.",
    file: "workers/session.ts",
    find: "if (now >= this.#expiry) return [...effects, ...this.#silent(now)];",
    replace: "",
  },
  {
    rule: "A worker ignores DISCONNECT.",
    file: "workers/session.ts",
    find: 'if (command.name === "DISCONNECT") return this.#disconnected(now);',
    replace: "",
  },
  {
    rule: "A worker sends a reply on the conversation after the one of its request.",
    file: "workers/session.ts",
    find: "this.#inHand = new Numbered();",
    replace: "",
  },
  {
    rule: "A worker replies twice to one request.",
    file: "workers/session.ts",
    find: "if (!this.#inHand.delete(request.number)) return [];",
    replace: "this.#inHand.delete(request.number);",
  },
  {
    rule: "A lost conversation does not abort its handlers.",
    file: "workers/session.ts",
    find: '...abandoned.map((request): Effect => ({ do: "abort", request, why })),\n      ',
    replace: "",
  },
  {
    rule: "A worker reconnects at once after any number of failures.",
    file: "workers/session.ts",
    find: "    this.#failures += 1;\n",
    replace: "",
  },
  {
    rule: "Handlers have no time limit.",
    file: "workers/session.ts",
    find: "const overrun = this.#overrun(now);",
    replace: "const overrun: Effect[] = [];",
  },
  {
    rule: "A handler past its time limit is aborted without a reply.",
    file: "workers/session.ts",
    find: "      effects.push(this.#reply(request, encodeFailure(500, why), now));\n",
    replace: "",
  },
  {
    rule: "A worker that was stalled gives up its broker.",
    file: "workers/session.ts",
    find: "this.#expiry = now + leaseMs(this.#options.heartbeat);\n    for",
    replace: "for",
  },
  {
    rule: "A worker sends a reply that is larger than the broker accepts.",
    file: "workers/session.ts",
    find: "if (bytes > most) return",
    replace: "if (bytes === Infinity) return",
  },
  {
    rule: "A draining worker leaves with requests in flight.",
    file: "workers/session.ts",
    find: " || this.#inHand.size > 0) return [];",
    replace: ") return [];",
  },
  {
    rule: "A draining worker takes requests.",
    file: "workers/session.ts",
    find: 'command.name !== "REQUEST" || this.#draining',
    replace: 'command.name !== "REQUEST"',
  },
  {
    rule: "A worker sends DISCONNECT before its last REPLY.",
    file: "workers/session.ts",
    find: "return [this.#reply(request, body, now), ...this.#leaveIfDone(now)];",
    replace: "return [...this.#leaveIfDone(now), this.#reply(request, body, now)];",
  },
  {
    rule: "A worker serves requests after its DISCONNECT.",
    file: "workers/session.ts",
    find: "!this.#connected || this.#leaveAt !== null || command",
    replace: "!this.#connected || command",
  },
  {
    rule: "A worker sends PARTIAL to a broker of 7/MDP.",
    file: "workers/session.ts",
    find: 'if (streams(this.#dialect)) return [this.#send({ name: "PARTIAL"',
    replace: 'if (client) return [this.#send({ name: "PARTIAL"',
  },
  {
    rule: "A worker changes its READY though the broker was not reached.",
    file: "workers/session.ts",
    find: "if (this.#reached && !this.#confirmed",
    replace: "if (!this.#confirmed",
  },
  {
    rule: "A worker never sends a plain READY.",
    file: "workers/session.ts",
    find: "      { dialect: MDP_0_1, credit: null },\n",
    replace: "",
  },
];
