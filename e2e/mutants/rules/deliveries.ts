// Redelivery, quarantine and expiry.

import type { Mutant } from "../mutant.ts";

export const DELIVERIES: Mutant[] = [
  {
    rule: "The requests of a removed worker are lost.",
    file: "broker/broker.ts",
    find: "lost.sort((one, other) => other.id - one.id))\n      this.#requeue(request, reason, now);",
    replace: "[]);",
  },
  {
    rule: "A requeued request goes to the end of its client's queue.",
    file: "broker/broker.ts",
    find: "request.service.queue.requeue(request);",
    replace: 'request.service.queue.add(request, request.client ?? "");',
  },
  {
    rule: "Requeued requests are delivered in the wrong order.",
    file: "broker/broker.ts",
    find: "lost.sort((one, other) => other.id - one.id)",
    replace: "lost.sort((one, other) => one.id - other.id)",
  },
  {
    rule: "Requests of several removed workers are requeued worker by worker.",
    file: "broker/broker.ts",
    find: "lost.sort((one, other) => other.id - one.id)",
    replace: "lost.reverse()",
  },
  {
    rule: "A request has another id at each delivery.",
    file: "broker/broker.ts",
    find: "request.progress.deliveries += 1;",
    replace:
      "if (request.progress.deliveries > 0) request.id = ++this.#lastId;\n    request.progress.deliveries += 1;",
  },
  {
    rule: "A request is delivered one time more than the limit.",
    file: "broker/broker.ts",
    find: "!begun && progress.deliveries >= this.#limits.deliveriesMax",
    replace: "!begun && progress.deliveries > this.#limits.deliveriesMax",
  },
  {
    rule: "A worker that leaves with DISCONNECT counts as a death with its requests.",
    file: "broker/broker.ts",
    find: 'if (reason === "left") for (const { progress } of held) progress.deliveries -= 1;',
    replace: "",
  },
  {
    rule: "A worker whose connection broke does not count as a death with its requests.",
    file: "broker/broker.ts",
    find: 'if (reason === "left")',
    replace: 'if (reason === "left" || reason === "gone")',
  },
  {
    rule: "A request on its last delivery shares its worker.",
    file: "broker/broker.ts",
    find: "progress.alone = deliveries > 0 && deliveries === this.#limits.deliveriesMax - 1;",
    replace: "",
  },
  {
    rule: "A request on its last delivery goes to a busy worker.",
    file: "broker/workers.ts",
    find: "(progress.alone ? undefined : spare.head)",
    replace: "spare.head",
  },
  {
    rule: "A worker with a request on its last delivery gets another.",
    file: "broker/workers.ts",
    find: " || holds.first?.progress.alone",
    replace: "",
  },
  {
    rule: "A quarantined request leaves no dead letter.",
    file: "broker/broker.ts",
    find: "this.#deadLetters.add({ ...letter, at: Math.round(now) });",
    replace: "",
  },
  {
    rule: "The broker ignores the ttl of a call.",
    file: "broker/broker.ts",
    find: "return options.ttl ?? this.#limits.requestTtlMs;",
    replace: "return this.#limits.requestTtlMs;",
  },
  {
    rule: "A queued request never expires.",
    file: "broker/broker.ts",
    find: "for (const request of due) {\n",
    replace: "for (const request of due) {\n      if (!request.progress.worker) continue;\n",
  },
  {
    rule: "A worker gets a request while an expired one still keeps it busy.",
    file: "broker/broker.ts",
    find: 'this.#replies.giveUp(request, "expired", refusal, now);',
    replace:
      'const { worker } = request.progress;\n      this.#replies.giveUp(request, "expired", refusal, now);\n      worker?.holds.delete(request.id);\n      if (worker) this.#workers.seat(worker);',
  },
  {
    rule: "An expired request is delivered between two ticks.",
    file: "broker/broker.ts",
    find: "this.#dispatchAll(this.#expire(now), now);\n    const command =",
    replace: "const command =",
  },
  {
    rule: "An expired request moves from a broken connection to the next worker.",
    file: "broker/broker.ts",
    find: "this.#dispatchAll(this.#expire(now), now);\n    const worker =",
    replace: "const worker =",
  },
  {
    rule: "A request that expires together with its worker is delivered again.",
    file: "broker/broker.ts",
    find: "const services = this.#expire(now);\n    this.#purge(now);",
    replace: "this.#purge(now);\n    const services = this.#expire(now);",
  },
  {
    rule: "Requests expire up to 10 ms early.",
    file: "broker/timer-wheel.ts",
    find: "Math.ceil(expiry / SLOT_MS)",
    replace: "Math.floor(expiry / SLOT_MS)",
  },
  {
    rule: "Requests of a client that has gone are delivered.",
    file: "broker/broker.ts",
    find: "this.#clientGone(peer, now);",
    replace: "",
  },
];
