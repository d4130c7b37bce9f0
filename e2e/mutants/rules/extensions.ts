// The extensions of workers: keys of READY, pairs of HEARTBEAT, metadata of REQUEST, progress.

import type { Mutant } from "../mutant.ts";

export const EXTENSIONS: Mutant[] = [
  {
    rule: "A worker without keys may send pairs.",
    file: "broker/extensions.ts",
    find: 'if (!knows) return "HEARTBEAT: frames after the command";',
    replace: "if (!knows) return null;",
  },
  {
    rule: "A worker that the broker does not know, as after a restart, gets no DISCONNECT for pairs.",
    file: "broker/extensions.ts",
    find: "!command.pairs || !worker) return null;\n  const knows = worker.about?.knows;",
    replace: "!command.pairs) return null;\n  const knows = worker?.about?.knows;",
  },
  {
    rule: "The broker rejects a pair that only brokers send.",
    file: "broker/extensions.ts",
    find: "word !== undefined && !knows.has(word)",
    replace: "word === undefined || !knows.has(word)",
  },
  {
    rule: "The broker accepts metadata in a REQUEST of a worker.",
    file: "broker/extensions.ts",
    find: 'if (command.name === "REQUEST" && command.metadata) return "REQUEST: no empty frame";',
    replace: "",
  },
  {
    rule: "A worker that knows nothing of cancel gets it.",
    file: "broker/pairs-out.ts",
    find: 'if (!worker.about?.knows.has("cancel")) return;',
    replace: "if (!worker.about) return;",
  },
  {
    rule: "A command overtakes the pairs before it.",
    file: "broker/delivery.ts",
    find: "    this.#state.pairs.flush(worker, now);\n",
    replace: "",
  },
  {
    rule: "A removed worker gets the pairs that waited for it.",
    file: "broker/pairs-out.ts",
    find: "if (this.#workers.get(worker.address) !== worker) return;",
    replace: "",
  },
  {
    rule: "A worker with keys does not get the incarnation.",
    file: "broker/admission.ts",
    find: "    this.#state.pairs.incarnation(worker);\n",
    replace: "",
  },
  {
    rule: "A worker without keys gets the incarnation.",
    file: "broker/pairs-out.ts",
    find: 'if (worker.about) this.#add(worker, { name: "incarnation"',
    replace: 'this.#add(worker, { name: "incarnation"',
  },
  {
    rule: "A worker that knows nothing of metadata gets it.",
    file: "broker/request-metadata.ts",
    find: 'if (!worker.about?.knows.has("meta")) return undefined;',
    replace: "if (!worker.about) return undefined;",
  },
  {
    rule: "Headers take no memory.",
    file: "broker/admission.ts",
    find: " + weighExtras(extras)",
    replace: "",
  },
  {
    rule: "A caller gets progress that it did not ask for.",
    file: "broker/progress.ts",
    find: "return extras?.progress && client !== null ? extras : null;",
    replace: "return extras && client !== null ? extras : null;",
  },
  {
    rule: "A caller gets all progress, at any rate.",
    file: "broker/progress.ts",
    find: "if (isDue(extras, now)) this.#send(request, extras, value, now);\n    else if",
    replace: "this.#send(request, extras, value, now);\n    if (!extras) return;\n    else if",
  },
  {
    rule: "Progress that waits is sent after newer progress.",
    file: "broker/progress.ts",
    find: "    this.#forget(request);\n    extras.progressAt = now;",
    replace: "    extras.progressAt = now;",
  },
  {
    rule: "Progress that waits has no bound.",
    file: "broker/progress.ts",
    find: "else if (this.#hasRoomFor(value, extras)) this.#keep",
    replace: "else if (value) this.#keep",
  },
  {
    rule: "Progress in 0.1 is a PARTIAL, and in 0.2 the last reply.",
    file: "broker/replies.ts",
    find: 'const name = streams(request.dialect) ? "PARTIAL" : "REPLY";\n    this.#send(request, name, encodeStatus(STATUS.progress, [value]));',
    replace: 'this.#send(request, "REPLY", encodeStatus(STATUS.progress, [value]));',
  },
  {
    rule: "A returned request counts its delivery.",
    file: "broker/delivery.ts",
    find: "    for (const { delivery } of requests) delivery.deliveries -= 1;\n",
    replace: "",
  },
  {
    rule: "A returned request stays in flight at its worker.",
    file: "broker/pairs-in.ts",
    find: "      worker.inFlight.delete(request.sequence);\n",
    replace: "",
  },
  {
    rule: "A returned stream is delivered again.",
    file: "broker/pairs-in.ts",
    find: 'if (request.streaming) this.#replies.reject(request, "refused", BROKEN_OFF, now);\n      else returned',
    replace: "returned",
  },
];
