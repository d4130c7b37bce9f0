// The bounds of the broker, and the counts that must agree.

import type { Mutant } from "../mutant.ts";

export const BOUNDS: Mutant[] = [
  {
    rule: "The bound of requests per service is one too high.",
    file: "broker/request-bounds.ts",
    find: "service.open >= limits.queueMax",
    replace: "service.open > limits.queueMax",
  },
  {
    rule: "At a bound the broker drops the oldest request instead of the newest.",
    file: "broker/admission.ts",
    find: "if (rejection) return this.#replies.rejectRequest(from, command, rejection, known);",
    replace:
      'const oldest = known?.queue.first;\n    if (rejection && oldest) this.#replies.reject(oldest, "refused", rejection, now);\n    if (rejection && !oldest) return this.#replies.rejectRequest(from, command, rejection, known);',
  },
  {
    rule: "The bytes of open requests have no bound.",
    file: "broker/request-bounds.ts",
    find: "if (requests.weight + weight > limits.queueBytesMax) return REQUESTS_TOO_LARGE;",
    replace: "if (weight > limits.queueBytesMax) return REQUESTS_TOO_LARGE;",
  },
  {
    rule: "The bytes of a settled request stay taken.",
    file: "broker/requests.ts",
    find: "this.#weight -= request.weight;",
    replace: "",
  },
  {
    rule: "Clients may name any number of services.",
    file: "broker/services.ts",
    find: "if (!first || length <= this.#max) return null;",
    replace: "if (first || length <= this.#max) return null;",
  },
  {
    rule: "Workers may name any number of services.",
    file: "broker/admission.ts",
    find: "if (!known?.workers && services.isFull) return reject(TOO_MANY_SERVICES.reason);",
    replace: "",
  },
  {
    rule: "A message may have any size.",
    file: "broker/broker.ts",
    find: "sizeOf(frames) > this.#state.limits.messageBytesMax",
    replace: "false",
  },
  {
    rule: "A peer that chooses names of services gets a log line for each.",
    file: "broker/event-counter.ts",
    find: "counted.size >= COUNTED_LINES_MAX && !counted.has(own)",
    replace: "counted.size < 0",
  },
  {
    rule: "A kept message keeps the whole buffer that it arrived in.",
    file: "protocol/owned.ts",
    find: "if (isOwn(frame)) return frame;",
    replace: "if (frame) return frame;",
  },
];
