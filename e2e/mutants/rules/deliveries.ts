// Redelivery, quarantine and expiry.

import type { Mutant } from "../mutant.ts";

export const DELIVERIES: Mutant[] = [
  {
    rule: "The requests of a removed worker are lost.",
    file: "broker/delivery.ts",
    find: "      else requeued.push(request);\n",
    replace: "",
  },
  {
    rule: "A requeued request goes to the end of its client's queue.",
    file: "broker/requests.ts",
    find: "request.service.queue.requeue(request);",
    replace: 'request.service.queue.add(request, request.client ?? "");',
  },
  {
    rule: "Requeued requests are delivered in the wrong order.",
    file: "broker/delivery.ts",
    find: "other.sequence - one.sequence",
    replace: "one.sequence - other.sequence",
  },
  {
    rule: "Requests of several removed workers are requeued worker by worker.",
    file: "broker/delivery.ts",
    find: "requests.sort((one, other) => other.sequence - one.sequence)",
    replace: "requests.reverse()",
  },
  {
    rule: "A request has another id at each delivery.",
    file: "broker/delivery.ts",
    find: "return idFrame(this.#state.incarnation, request.sequence);",
    replace:
      "return idFrame(this.#state.incarnation, request.sequence + 1_000_000 * request.delivery.deliveries);",
  },
  {
    rule: "A request is delivered one time more than the limit.",
    file: "broker/isolation.ts",
    find: "suspicion.charges >= this.#deliveriesMax ||",
    replace: "suspicion.charges > this.#deliveriesMax ||",
  },
  {
    rule: "A worker that leaves with DISCONNECT counts as a death with its requests.",
    file: "broker/delivery.ts",
    find: '      if (reason === "left") request.delivery.deliveries -= 1;\n',
    replace: "",
  },
  {
    rule: "A worker whose connection broke does not count as a death with its requests.",
    file: "broker/delivery.ts",
    find: 'if (reason !== "left" && !isSilent) isolation.died',
    replace: 'if (reason !== "left" && reason !== "gone" && !isSilent) isolation.died',
  },
  {
    rule: "The death of a request on its last delivery counts against all requests of its worker.",
    file: "broker/isolation.ts",
    find: "const isBlamed = (delivery.suspicion?.charges ?? NO_SUSPECT) === most;",
    replace: "const isBlamed = true;",
  },
  {
    rule: "A request on its last delivery goes to a busy worker.",
    file: "broker/isolation.ts",
    find: "idle.first ?? (hasWaited ? firstToShare(withCredit) : undefined)",
    replace: "idle.first ?? firstToShare(withCredit)",
  },
  {
    rule: "A worker with a request on its last delivery gets another at once.",
    file: "broker/isolation.ts",
    find: "    standing.aloneUntil = now + this.#intervalMs;\n",
    replace: "",
  },
  {
    rule: "A worker with a request on its last delivery gets no other after the outcome of that one.",
    file: "broker/replies.ts",
    find: "    this.#state.isolation.settled(request);\n",
    replace: "",
  },
  {
    rule: "A worker of a name that keeps dying counts against the requests that it has.",
    file: "broker/isolation.ts",
    find: "if (isBlamed && !(keepsDying && isFirstOfName)) suspicion.charges += 1;",
    replace: "if (isBlamed) suspicion.charges += 1;",
  },
  {
    rule: "A newcomer after a death gets as many requests as its credit at once.",
    file: "broker/workers.ts",
    find: "isNewcomer && (keepsDying || !hasReplied) ?",
    replace: "isNewcomer && keepsDying ?",
  },
  {
    rule: "A request of a silent worker whose connection broke stays among the requests that are no suspects.",
    file: "broker/silent-workers.ts",
    find: "      else isolation.suspects(request, now);\n",
    replace: "",
  },
  {
    rule: "A silence does not count towards the last delivery of a suspect.",
    file: "broker/isolation.ts",
    find: "(suspicion?.charges ?? 0) + deliveries - deaths;",
    replace: "suspicion?.charges ?? deliveries - deaths;",
  },
  {
    rule: "The broker ignores the ttl of a call.",
    file: "broker/admission.ts",
    find: "now + (options.ttl ?? limits.requestTtlMs)",
    replace: "now + limits.requestTtlMs",
  },
  {
    rule: "A queued request never expires.",
    file: "broker/deadlines.ts",
    find: "if (!call || call.expiresAt <= now) endExpired",
    replace:
      "if (!request.delivery.worker) continue;\n    if (!call || call.expiresAt <= now) endExpired",
  },
  {
    rule: "A worker gets a request while an expired one still keeps it busy.",
    file: "broker/deadlines.ts",
    find: "    else endEarly(state, replies, request, call, now);\n",
    replace:
      "    else endEarly(state, replies, request, call, now);\n    const { worker } = request.delivery;\n    worker?.inFlight.delete(request.sequence);\n    if (worker) state.workers.reposition(worker);\n",
  },
  {
    rule: "An expired request is delivered between two ticks.",
    file: "broker/broker.ts",
    find: "    this.#delivery.dispatchAll(expire(this.#state, this.#replies, now), now);\n    const isTooLarge",
    replace: "    const isTooLarge",
  },
  {
    rule: "An expired request moves from a broken connection to the next worker.",
    file: "broker/broker.ts",
    find: "    this.#delivery.dispatchAll(expire(this.#state, this.#replies, now), now);\n    const worker",
    replace: "    const worker",
  },
  {
    rule: "A request that expires together with its worker is delivered again.",
    file: "broker/broker.ts",
    find: "const services = expire(this.#state, this.#replies, now);\n    this.#liveness.purge(now);",
    replace:
      "this.#liveness.purge(now);\n    const services = expire(this.#state, this.#replies, now);",
  },
  {
    rule: "Requests of a client that has gone are delivered.",
    file: "broker/broker.ts",
    find: "this.#cancellation.clientGone(peer, now);",
    replace: "",
  },
];
