// The bounds of the broker, and the counts that must agree.

import type { Mutant } from "../mutant.ts";

export const BOUNDS: Mutant[] = [
  {
    rule: "The bound of requests per service is one too high.",
    file: "broker/broker.ts",
    find: "(service?.open ?? 0) >= queueMax",
    replace: "(service?.open ?? 0) > queueMax",
  },
  {
    rule: "At a bound the broker drops the oldest request instead of the newest.",
    file: "broker/broker.ts",
    find: "if (refusal) return this.#replies.refuse(from, command, refusal, service);",
    replace:
      'const oldest = service?.queue.first;\n    if (refusal && oldest) this.#replies.giveUp(oldest, "refused", refusal, now);\n    if (refusal && !oldest) return this.#replies.refuse(from, command, refusal);',
  },
  {
    rule: "The bytes of open requests have no bound.",
    file: "broker/broker.ts",
    find: "if (this.#requests.weight + weight > queueBytesMax)",
    replace: "if (weight > queueBytesMax)",
  },
  {
    rule: "The bytes of a settled request stay taken.",
    file: "broker/requests.ts",
    find: "this.#weight -= request.weight;",
    replace: "",
  },
  {
    rule: "Clients may name any number of services.",
    file: "broker/broker.ts",
    find: 'if (!service && this.#services.isFull) return refusals.full("too many services");',
    replace: "",
  },
  {
    rule: "Workers may name any number of services.",
    file: "broker/broker.ts",
    find: "else if (!service && this.#services.isFull)\n      this.#reject(",
    replace: "else if (false)\n      this.#reject(",
  },
  {
    rule: "A message may have any size.",
    file: "broker/broker.ts",
    find: "sizeOf(frames) > this.#limits.messageBytesMax",
    replace: "false",
  },
  {
    rule: "The log repeats a counted event at every tick.",
    file: "broker/event-counter.ts",
    find: "this.#entries.clear();",
    replace: "",
  },
  {
    rule: "A kept message keeps the whole buffer that it arrived in.",
    file: "broker/packed-message.ts",
    find: "if (isOwn(frame)) return frame;",
    replace: "if (frame) return frame;",
  },
];
