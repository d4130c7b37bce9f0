// The worker's half of the conversation.

import type { Mutant } from "../mutant.ts";

const file = "workers/session.ts";

export const WORKER: Mutant[] = [
  {
    rule: "A worker does not announce its credit.",
    file,
    find: "service: toFrame(service), credit }",
    replace: "service: toFrame(service), credit: null }",
  },
  {
    rule: "A worker is ready before the broker was heard.",
    file,
    find: "this.#connected && this.#confirmed && !this.#draining",
    replace: "this.#connected && !this.#draining",
  },
  {
    rule: "A worker that is to end is still ready.",
    file,
    find: "this.#connected && this.#confirmed && !this.#draining",
    replace: "this.#connected && this.#confirmed",
  },
  {
    rule: "A worker sends no HEARTBEAT.",
    file,
    find: "const beat = this.#connected && now >= this.#heartbeatAt;",
    replace: "const beat = now === Infinity;",
  },
  {
    rule: "A worker at work sends no HEARTBEAT.",
    file,
    find: "const beat = this.#connected && now >= this.#heartbeatAt;",
    replace: "const beat = this.#connected && this.#inHand.size === 0 && now >= this.#heartbeatAt;",
  },
  {
    rule: "REPLY does not put off the worker's next HEARTBEAT.",
    file,
    find: "this.#heartbeatAt = now + this.#options.heartbeat.intervalMs;",
    replace:
      'if (command.name !== "REPLY") this.#heartbeatAt = now + this.#options.heartbeat.intervalMs;',
  },
  {
    rule: "A worker waits for a silent broker without end.",
    file,
    find: "if (now >= this.#expiry) return [...effects, ...this.#silent(now)];",
    replace: "",
  },
  {
    rule: "To a worker the time that a connection takes to open counts as the broker's silence.",
    file,
    find: "this.#reached = true;\n    this.#expiry = now + leaseMs(this.#options.heartbeat);",
    replace: "this.#reached = true;",
  },
  {
    rule: "To a worker only HEARTBEAT is the broker's sign of life.",
    file,
    find: "const effects = this.#heard(now);",
    replace: 'const effects = command.name === "HEARTBEAT" ? this.#heard(now) : [];',
  },
  {
    rule: "A worker ignores DISCONNECT.",
    file,
    find: 'if (command.name === "DISCONNECT") return this.#lose("the broker said DISCONNECT", now);',
    replace: "",
  },
  {
    rule: "A worker keeps the socket of a conversation that is over.",
    file,
    find: '{ do: "close" },\n      ...abandoned',
    replace: "...abandoned",
  },
  {
    rule: "A worker sends the reply of a conversation that is over in the next.",
    file,
    find: "this.#inHand.clear();",
    replace: "",
  },
  {
    rule: "A worker sends a second reply to the same request.",
    file,
    find: "if (!this.#inHand.delete(request)) return [];",
    replace: "this.#inHand.delete(request);",
  },
  {
    rule: "The handlers of a conversation that is over are not told.",
    file,
    find: '...abandoned.map((request): Effect => ({ do: "abort", request, why })),\n      ',
    replace: "",
  },
  {
    rule: "A worker connects again at once, however often it failed.",
    file,
    find: "    this.#failures += 1;\n",
    replace: "",
  },
  {
    rule: "A worker's wait does not begin anew once the broker was heard.",
    file,
    find: "    this.#failures = 0;\n",
    replace: "",
  },
  {
    rule: "A worker's wait begins anew before the broker was heard.",
    file,
    find: "this.#confirmed = false;\n    this.#dialect",
    replace: "this.#confirmed = false;\n    this.#failures = 0;\n    this.#dialect",
  },
  {
    rule: "All workers connect again in the same ms.",
    file,
    find: "this.#options.random()",
    replace: "1",
  },
  {
    rule: "A handler may take for ever.",
    file,
    find: "const overrun = this.#overrun(now);",
    replace: "const overrun: Effect[] = [];",
  },
  {
    rule: "A handler that takes too long is stopped, and its client told nothing.",
    file,
    find: "      effects.push(this.#reply(request, encodeFailure(500, why), now));\n",
    replace: "",
  },
  {
    rule: "A handler that takes too long may still answer.",
    file,
    find: "      this.#inHand.delete(request);\n      const why",
    replace: "      request.deadline = Infinity;\n      const why",
  },
  {
    rule: "A worker that was itself stopped blames the broker.",
    file,
    find: "this.#expiry = now + leaseMs(this.#options.heartbeat);\n    for",
    replace: "for",
  },
  {
    rule: "A worker that was itself stopped blames its handlers.",
    file,
    find: "for (const request of this.#inHand) request.deadline += ms; // Its handler was stopped, too.",
    replace: "",
  },
  {
    rule: "A reply that the broker would not take is sent.",
    file,
    find: "if (size <= most) return",
    replace: "if (size < Infinity) return",
  },
  {
    rule: "A worker that is to end leaves with work in hand.",
    file,
    find: " || this.#inHand.size > 0) return [];",
    replace: ") return [];",
  },
  {
    rule: "A worker that is to end takes more.",
    file,
    find: 'command.name !== "REQUEST" || this.#draining',
    replace: 'command.name !== "REQUEST"',
  },
  {
    rule: "A worker says DISCONNECT before its last REPLY.",
    file,
    find: "return [this.#reply(request, body, now), ...this.#leaveIfDone(now)];",
    replace: "return [...this.#leaveIfDone(now), this.#reply(request, body, now)];",
  },
  {
    rule: "A worker leaves without DISCONNECT.",
    file,
    find: 'return [this.#send({ name: "DISCONNECT" }, now)];',
    replace: "return [];",
  },
  {
    rule: "A worker is gone before its last words are read.",
    file,
    find: "this.#leaveAt = now + LEAVE_MS;",
    replace: "this.#leaveAt = now;",
  },
  {
    rule: "A worker that has said DISCONNECT still serves.",
    file,
    find: "!this.#connected || this.#leaveAt !== null || command",
    replace: "!this.#connected || command",
  },
  {
    rule: "A worker that is to end connects again when the broker goes.",
    file,
    find: "retryMs }),\n      ...this.#leaveIfDone(now),",
    replace: "retryMs }),",
  },
  {
    rule: "A worker that is to end waits for a broker that is not there.",
    file,
    find: "if (!this.#connected) return this.#stop();",
    replace: "",
  },
];
