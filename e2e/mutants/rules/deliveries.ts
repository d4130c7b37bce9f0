// What becomes of a request whose worker is lost, whose client went away or whose time is over.

import type { Mutant } from "../mutant.ts";

const file = "broker/broker.ts";

export const DELIVERIES: Mutant[] = [
  {
    rule: "What a lost worker had is lost with it.",
    file,
    find: "lost.sort((one, other) => other.id - one.id))\n      this.#requeue(request, reason, now);",
    replace: "[]);",
  },
  {
    rule: "What a lost worker had goes to the end of its client's requests.",
    file,
    find: "request.service.queue.requeue(request);",
    replace: 'request.service.queue.add(request, request.client ?? "");',
  },
  {
    rule: "What is lost later comes after what was lost before.",
    file: "broker/queue.ts",
    find: "request.turn.unshift(request);",
    replace: "request.turn.push(request);",
  },
  {
    rule: "The requests of a lost worker are requeued in the wrong order.",
    file,
    find: "lost.sort((one, other) => other.id - one.id)",
    replace: "lost.sort((one, other) => one.id - other.id)",
  },
  {
    rule: "The requests of several lost workers are requeued worker by worker.",
    file,
    find: "lost.sort((one, other) => other.id - one.id)",
    replace: "lost.reverse()",
  },
  {
    rule: "What was lost waits for its client's turn.",
    file: "broker/queue.ts",
    find: "this.#lost.first ?? this.#turns.head?.value.first ?? null",
    replace: "this.#turns.head?.value.first ?? this.#lost.first",
  },
  {
    rule: "A request gets a new id with each delivery.",
    file,
    find: "request.progress.deliveries += 1;",
    replace:
      "if (request.progress.deliveries > 0) request.id = ++this.#lastId;\n" +
      "    request.progress.deliveries += 1;",
  },
  {
    rule: "Requeued requests are not counted.",
    file,
    find: "request.figures.requeued[reason] += 1;",
    replace: "",
  },
  {
    rule: "Deliveries are not counted.",
    file,
    find: "request.progress.deliveries += 1;",
    replace: "",
  },
  {
    rule: "A request may be lost with one worker more than the limit says.",
    file,
    find: "!begun && progress.deliveries >= this.#limits.deliveriesMax",
    replace: "!begun && progress.deliveries > this.#limits.deliveriesMax",
  },
  {
    rule: "A worker that leaves costs its requests a delivery.",
    file,
    find: 'if (reason === "left") for (const { progress } of held) progress.deliveries -= 1;',
    replace: "",
  },
  {
    rule: "A worker whose connection broke costs its requests no delivery.",
    file,
    find: 'if (reason === "left")',
    replace: 'if (reason === "left" || reason === "gone")',
  },
  {
    rule: "A worker that went silent costs its requests no delivery.",
    file,
    find: 'if (reason === "left")',
    replace: 'if (reason === "left" || reason === "expired")',
  },
  {
    rule: "A request on its last delivery shares its worker.",
    file,
    find: "progress.alone = deliveries > 0 && deliveries === this.#limits.deliveriesMax - 1;",
    replace: "",
  },
  {
    rule: "A request on its first delivery is isolated, too.",
    file,
    find: "progress.alone = deliveries > 0 && deliveries",
    replace: "progress.alone = deliveries",
  },
  {
    rule: "A request on its last delivery is given to a worker at work.",
    file: "broker/workers.ts",
    find: "(progress.alone ? undefined : spare.head)",
    replace: "spare.head",
  },
  {
    rule: "A worker that has a request on its last delivery is given another.",
    file: "broker/workers.ts",
    find: " || holds.first?.progress.alone",
    replace: "",
  },
  {
    rule: "Who asks is served before those that wait for an idle worker.",
    file,
    find: "queue.first ? undefined : this.#workers.next(request)",
    replace: "this.#workers.next(request)",
  },
  {
    rule: "A request that was given up leaves no dead letter.",
    file,
    find: "this.#deadLetters.add({ ...letter, at: Math.round(now) });",
    replace: "",
  },
  {
    rule: "Dead letters are kept without end.",
    file: "broker/dead-letters.ts",
    find: "if (this.#letters.length > DEAD_LETTERS_MAX) this.#letters.shift();",
    replace: "",
  },
  {
    rule: "Of the dead letters the oldest are kept.",
    file: "broker/dead-letters.ts",
    find: "this.#letters.shift();",
    replace: "this.#letters.pop();",
  },
  {
    rule: "A dead letter has the request's body in it.",
    file,
    find: "this.#deadLetters.add({ ...letter, at: Math.round(now) });",
    replace:
      "const withBody = { ...letter, at: Math.round(now), body: String(request.body) };\n" +
      "    this.#deadLetters.add(withBody);",
  },
  {
    rule: "A call's own ttl is ignored.",
    file,
    find: "return options.ttl ?? this.#limits.requestTtlMs;",
    replace: "return this.#limits.requestTtlMs;",
  },
  {
    rule: "A call's ttl may be no longer than the broker's.",
    file,
    find: "return options.ttl ?? this.#limits.requestTtlMs;",
    replace: "return Math.min(options.ttl ?? Infinity, this.#limits.requestTtlMs);",
  },
  {
    rule: "A queued request never expires.",
    file,
    find: "for (const request of due) {\n",
    replace: "for (const request of due) {\n" + "      if (!request.progress.worker) continue;\n",
  },
  {
    rule: "A worker is free again as soon as its request expires.",
    file,
    find: 'this.#replies.giveUp(request, "expired", refusal, now);',
    replace:
      "const { worker } = request.progress;\n" +
      '      this.#replies.giveUp(request, "expired", refusal, now);\n' +
      "      worker?.holds.delete(request.id);\n" +
      "      if (worker) this.#workers.seat(worker);",
  },
  {
    rule: "Between two ticks a request past its ttl is still handed out.",
    file,
    find: "this.#dispatchAll(this.#expire(now), now);\n    const command =",
    replace: "const command =",
  },
  {
    rule: "A request past its ttl goes from a broken connection to the next worker.",
    file,
    find: "this.#dispatchAll(this.#expire(now), now);\n    const worker =",
    replace: "const worker =",
  },
  {
    rule: "What expires together with its worker is handed out once more.",
    file,
    find: "const services = this.#expire(now);\n    this.#purge(now);",
    replace: "this.#purge(now);\n    const services = this.#expire(now);",
  },
  {
    rule: "What waits behind a request that expires is not handed out.",
    file,
    find: "    this.#dispatchAll(services, now);\n    this.#beat(now);",
    replace: "    this.#beat(now);",
  },
  {
    rule: "What expired before its worker is lost is given up again.",
    file,
    find: "(request.closed ? [] : [request])",
    replace: "[request]",
  },
  {
    rule: "Requests expire up to 10 ms too early.",
    file: "broker/timer-wheel.ts",
    find: "Math.ceil(expiry / SLOT_MS)",
    replace: "Math.floor(expiry / SLOT_MS)",
  },
  {
    rule: "After a long sleep everything expires.",
    file: "broker/timer-wheel.ts",
    find: ".filter((at) => at <= last)",
    replace: "",
  },
  {
    rule: "What a client that went away had queued is served.",
    file,
    find: "this.#clientGone(peer, now);",
    replace: "",
  },
  {
    rule: "What waits behind the request of a client that went away is not handed out.",
    file,
    find: "    this.#dispatchAll(services, now);\n  }\n\n  /** Removes workers",
    replace: "  }\n\n  /** Removes workers",
  },
];
