// What there may be at most, and that everything adds up.

import type { Mutant } from "../mutant.ts";

const file = "broker/broker.ts";

export const BOUNDS: Mutant[] = [
  {
    rule: "Requests in flight do not count.",
    file,
    find: "(service?.open ?? 0) >= queueMax",
    replace: "(service?.queue.length ?? 0) >= queueMax",
  },
  {
    rule: "The bound in requests is one too high.",
    file,
    find: "(service?.open ?? 0) >= queueMax",
    replace: "(service?.open ?? 0) > queueMax",
  },
  {
    rule: "The bound in requests is that of all services together.",
    file,
    find: "(service?.open ?? 0) >= queueMax",
    replace: "this.counts().queued + this.counts().inFlight >= queueMax",
  },
  {
    rule: "At a bound the oldest is refused, not the newest.",
    file,
    find: "if (refusal) return this.#replies.refuse(from, command, refusal, service);",
    replace:
      "const oldest = service?.queue.first;\n" +
      '    if (refusal && oldest) this.#replies.giveUp(oldest, "refused", refusal, now);\n' +
      "    if (refusal && !oldest) return this.#replies.refuse(from, command, refusal);",
  },
  {
    rule: "Bytes are not bounded.",
    file,
    find: "if (this.#requests.weight + weight > queueBytesMax)",
    replace: "if (weight > queueBytesMax)",
  },
  {
    rule: "The bytes of a request that has ended are never free again.",
    file: "broker/requests.ts",
    find: "this.#weight -= request.weight;",
    replace: "",
  },
  {
    rule: "A frame weighs no more than its bytes.",
    file: "broker/model.ts",
    find: "const FRAME_WEIGHT = 64;",
    replace: "const FRAME_WEIGHT = 0;",
  },
  {
    rule: "The envelope weighs nothing.",
    file,
    find: "weigh([...envelope, call.service, ...call.body])",
    replace: "weigh([call.service, ...call.body])",
  },
  {
    rule: "Requests may name any number of services.",
    file,
    find: 'if (!service && this.#services.isFull) return refusals.full("too many services");',
    replace: "",
  },
  {
    rule: "Workers may name any number of services.",
    file,
    find: "else if (!service && this.#services.isFull)\n      this.#reject(",
    replace: "else if (false)\n      this.#reject(",
  },
  {
    rule: "The bound in services is one too high.",
    file: "broker/services.ts",
    find: "this.#byName.size >= this.#max",
    replace: "this.#byName.size > this.#max",
  },
  {
    rule: "At the bound in services the known ones are refused, too.",
    file,
    find: "if (!service && this.#services.isFull) return",
    replace: "if (this.#services.isFull) return",
  },
  {
    rule: "At the bound in services the workers of known ones are, too.",
    file,
    find: "else if (!service && this.#services.isFull)",
    replace: "else if (this.#services.isFull)",
  },
  {
    rule: "A message may be of any size.",
    file,
    find: "sizeOf(frames) > this.#limits.messageBytesMax",
    replace: "false",
  },
  {
    rule: "What is refused is not counted.",
    file: "broker/requests.ts",
    find: "figures.ended.refused += 1;",
    replace: "",
  },
  {
    rule: "What is refused was never received.",
    file: "broker/requests.ts",
    find: "figures.received += 1;\n    figures.ended.refused += 1;",
    replace: "figures.ended.refused += 1;",
  },
  {
    rule: "Outcomes are not counted.",
    file: "broker/requests.ts",
    find: "figures.ended[ending] += 1;",
    replace: "",
  },
  {
    rule: "What has ended still counts as in flight.",
    file: "broker/requests.ts",
    find: "    if (request.progress.worker) this.#inFlight -= 1;\n    if (callId",
    replace: "    if (callId",
  },
  {
    rule: "What was requeued still counts as in flight.",
    file: "broker/requests.ts",
    find: "    if (request.progress.worker) this.#inFlight -= 1;\n    if (worker)",
    replace: "    if (worker)",
  },
  {
    rule: "What has expired still counts as queued.",
    file: "broker/timer-wheel.ts",
    find: "this.#size -= 1;",
    replace: "",
  },
  {
    rule: "A flood is logged again at every tick.",
    file: "broker/event-counter.ts",
    find: "this.#entries.clear();",
    replace: "",
  },
  {
    rule: "Each message of a flood is a line in the log.",
    file: "broker/event-counter.ts",
    find: 'const key = Object.values(event).join("\\n");',
    replace: "const key = String(this.#entries.size);",
  },
  {
    rule: "What is small is kept in frames.",
    file: "broker/packed-message.ts",
    find: "if (bytes > STRING_BYTES_MAX)",
    replace: "if (bytes > 0)",
  },
  {
    rule: "What is kept keeps the memory that it came in.",
    file: "broker/packed-message.ts",
    find: "if (isOwn(frame)) return frame;",
    replace: "if (frame) return frame;",
  },
  {
    rule: "What has its memory for itself is copied.",
    file: "broker/packed-message.ts",
    find: "2 * frame.length >= frame.buffer.byteLength",
    replace: "frame.length < 0",
  },
  {
    rule: "A part of a reply keeps the memory that it came in.",
    file: "broker/requests.ts",
    find: "of owned(part)) request.parts",
    replace: "of part) request.parts",
  },
  {
    rule: "An outcome keeps the memory that it came in.",
    file: "broker/call-index.ts",
    find: "call.outcome = pack([], told);",
    replace: "call.outcome = { envelope: [], body: told };",
  },
  {
    rule: "The name of a service keeps the memory that it came in.",
    file: "broker/model.ts",
    find: "const [frame = name] = owned([name]);",
    replace: "const frame = name;",
  },
  {
    rule: "What has left a line keeps its neighbours.",
    file: "collections/intrusive-list.ts",
    find: "    this.setBefore(thing, null);\n    this.setAfter(thing, null);\n",
    replace: "",
  },
  {
    rule: "Who leaves a table takes those at its place along.",
    file: "collections/map-by-number.ts",
    find: "elderOf(entry, first).sibling = entry.sibling;",
    replace: "elderOf(entry, first).sibling = null;",
  },
  {
    rule: "A table that grows loses what it had.",
    file: "collections/map-by-number.ts",
    find: "    for (const entry of this.#line) this.#seat(entry);\n",
    replace: "",
  },
];
