// The end of a broker.

import type { Mutant } from "../mutant.ts";

const file = "broker/broker.ts";

export const DRAIN: Mutant[] = [
  {
    rule: "A broker that is to end takes new requests.",
    file,
    find: "if (this.#drainBy !== null) return refusals.ENDING;",
    replace: "",
  },
  {
    rule: "A broker that has said its last words takes on workers.",
    file,
    find:
      "else if (this.#leaveAt !== null) this.#reject(from, command, refusals.ENDING.why, " +
      "now);\n    ",
    replace: "",
  },
  {
    rule: "A broker that is to end sends away the workers that still come.",
    file,
    find: "else if (this.#leaveAt !== null) this.#reject(",
    replace: "else if (this.#drainBy !== null) this.#reject(",
  },
  {
    rule: "A broker that is to end finishes nothing.",
    file,
    find: "if (this.#requests.inFlight > 0 && now < (this.#drainBy ?? now)) return;",
    replace: "",
  },
  {
    rule: "A broker that is to end waits for what is in flight without end.",
    file,
    find: " && now < (this.#drainBy ?? now)",
    replace: "",
  },
  {
    rule: "A broker that is to end waits for what nobody serves.",
    file,
    find: "if (this.#requests.inFlight > 0 && now",
    replace: "if (this.counts().queued + this.#requests.inFlight > 0 && now",
  },
  {
    rule: "A broker that ends refuses nothing of what is left.",
    file,
    find:
      "for (const request of this.#requests.open)\n" +
      '        this.#replies.giveUp(request, "refused", refusals.ENDING, now);',
    replace: "",
  },
  {
    rule: "A broker that ends leaves its workers in the dark.",
    file,
    find:
      "      this.#workers.remove(worker);\n" +
      "        this.#disconnect(worker.address, worker.dialect);",
    replace: "      this.#workers.remove(worker);",
  },
  {
    rule: "A broker that ends is gone before its last words are read.",
    file,
    find: "this.#leaveAt = now + LEAVE_MS;",
    replace: "this.#leaveAt = now;",
  },
  {
    rule: "A broker that ends forgets none of its services.",
    file,
    find: "this.#services.clear();",
    replace: "",
  },
  {
    rule: "A broker says again and again that it has stopped.",
    file,
    find: "this.#leaveAt = Infinity; // It is said once.",
    replace: "",
  },
  {
    rule: "A second stop signal gives a broker its time anew.",
    file,
    find: "if (this.#drainBy === null) {",
    replace: "{",
  },
  {
    rule: "A broker that is to end sends no HEARTBEAT.",
    file,
    find: "    this.#beat(now);\n",
    replace: "    if (this.#drainBy === null) this.#beat(now);\n",
  },
  {
    rule: "A broker that is to end purges no worker.",
    file,
    find: "    this.#purge(now);\n",
    replace: "    if (this.#drainBy === null) this.#purge(now);\n",
  },
  {
    rule: "A broker that is to end refuses what is asked again.",
    file,
    find: "if (request?.call) this.#retry(",
    replace: "if (request?.call && this.#drainBy === null) this.#retry(",
  },
];
