// The worker's session.

import type { Mutant } from "../mutant.ts";

export const WORKER: Mutant[] = [
  {
    rule: "A given up request frees its place while its handler runs.",
    file: "workers/places.ts",
    find: "this.#givenUp.add(number);",
    replace: "",
  },
  {
    rule: "A worker serves a REQUEST without a free place.",
    file: "workers/session.ts",
    find: 'this.#state === "confirmed" && this.#inFlight.size < this.#places.open;',
    replace: 'this.#state === "confirmed";',
  },
  {
    rule: "A worker without a free place opens the next conversation.",
    file: "workers/session.ts",
    find: "return now >= this.#timeoutAt && this.#places.open > 0 ? this.#connect(now) : [];",
    replace: "return now >= this.#timeoutAt ? this.#connect(now) : [];",
  },
  {
    rule: "A stop leaves handlers that run.",
    file: "workers/session.ts",
    find: "if (givenUp > 0 && now < this.#stopsAt) return [];",
    replace: "",
  },
  {
    rule: "A worker announces no credit.",
    file: "workers/session.ts",
    find: "service, credit, ...(about && { about }) }, now),",
    replace: "service, credit: null }, now),",
  },
  {
    rule: "A worker is ready before it has received anything.",
    file: "workers/session.ts",
    find: 'return this.#state === "confirmed" && this.#places.open > 0;',
    replace: 'return this.#state === "confirmed" || this.#state === "unconfirmed";',
  },
  {
    rule: "A worker sends no HEARTBEAT.",
    file: "workers/session.ts",
    find: "if (now < this.#heartbeatAt || isBeforeReady",
    replace: "if (now < Infinity || isBeforeReady",
  },
  {
    rule: "A busy worker sends no HEARTBEAT.",
    file: "workers/session.ts",
    find: "if (now < this.#heartbeatAt || isBeforeReady",
    replace: "if (now < this.#heartbeatAt || this.#inFlight.size > 0 || isBeforeReady",
  },
  {
    rule: "A worker never gives up a silent broker.",
    file: "workers/session.ts",
    find: "if (now >= this.#timeoutAt) return [...stalled, ...this.#silent(now)];",
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
    find: "    this.#inFlight = new MapByNumber();\n",
    replace: "",
  },
  {
    rule: "A worker replies twice to one request.",
    file: "workers/session.ts",
    find: "if (!this.#inFlight.delete(request.number)) return [];",
    replace: "this.#inFlight.delete(request.number);",
  },
  {
    rule: "A lost conversation does not abort its handlers.",
    file: "workers/session.ts",
    find: '      ...abandoned.map((request): WorkerEffect => ({ do: "abort", request, reason })),\n',
    replace: "",
  },
  {
    rule: "Handlers have no time limit.",
    file: "workers/session.ts",
    find: "return [...stalled, ...this.#overrun(now), ...this.#heartbeat(now)];",
    replace: "return [...stalled, ...this.#heartbeat(now)];",
  },
  {
    rule: "A handler past its time limit is aborted without a reply.",
    file: "workers/session.ts",
    find: "      effects.push(...this.#reply(request, encodeErrorReply(500, reason), now));\n",
    replace: "",
  },
  {
    rule: "A worker that was stalled gives up its broker.",
    file: "workers/session.ts",
    find: "    this.#renewTimeout(now);\n    for (",
    replace: "    for (",
  },
  {
    rule: "A worker sends a reply that is larger than the broker accepts.",
    file: "workers/reply-bounds.ts",
    find: "if (bytes > bytesMax)",
    replace: "if (bytes === Infinity)",
  },
  {
    rule: "A draining worker leaves with requests in flight.",
    file: "workers/session.ts",
    find: 'if (this.#inFlight.size > 0 || !this.#transition("finished")) return [];',
    replace: 'if (!this.#transition("finished")) return [];',
  },
  {
    rule: "A draining worker takes requests.",
    file: "workers/session.ts",
    find: 'const isAccepted = this.#state === "confirmed" &&',
    replace: 'const isAccepted = this.#state !== "stopped" &&',
  },
  {
    rule: "A draining worker keeps a request that it will not do.",
    file: "workers/session.ts",
    find: 'const mayReturn = this.#state === "draining" ||',
    replace: "const mayReturn =",
  },
  {
    rule: "A worker sends DISCONNECT before its last REPLY.",
    file: "workers/session.ts",
    find: "effects.push(...this.#leaveIfFinished(now));",
    replace: "effects.unshift(...this.#leaveIfFinished(now));",
  },
  {
    rule: "A worker serves requests after its DISCONNECT.",
    file: "workers/session-states.ts",
    find: '  leaving:      { left: "finishing" },',
    replace: '  leaving:      { left: "finishing", command: "confirmed" },',
  },
  {
    rule: "A worker sends PARTIAL to a broker of 7/MDP.",
    file: "workers/session.ts",
    find: 'if (streams(this.#dialect)) return [this.#send({ name: "PARTIAL"',
    replace: 'if (client) return [this.#send({ name: "PARTIAL"',
  },
  {
    rule: "A worker never tries the text dialect.",
    file: "workers/ready-choice.ts",
    find: "...inParts, { ...PLAIN, dialect: MDP_0_1_TEXT }];",
    replace: "...inParts];",
  },
  {
    rule: "The encoder of error replies accepts a code that makes the reply a success.",
    file: "protocol/error-reply.ts",
    find: "  if (!isErrorCode(code)) throw new RangeError(badErrorCode(code));\n",
    replace: "",
  },
];
