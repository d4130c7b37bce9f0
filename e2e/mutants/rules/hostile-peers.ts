// Rules that keep one peer from harming others: its bytes, its words and its numbers.

import type { Mutant } from "../mutant.ts";

export const HOSTILE_PEERS: Mutant[] = [
  {
    rule: "Call ids that are not UTF-8 collide, so that a client gets the reply of another.",
    file: "protocol/call-options.ts",
    find: "const text = decodeText(frame);",
    replace: "const text: string | null = frame.toString();",
  },
  {
    rule: "A newcomer gets the identity of a holder that answered.",
    file: "transport/zmtp/identity-claim.ts",
    find: 'if (answered) return "the holder lives";',
    replace: "",
  },
  {
    rule: "A newcomer gets the identity of a worker before a lease of silence.",
    file: "transport/zmtp/identity-claim.ts",
    find: "isSlow ? Math.max(this.#leaseMs, CLAIM_MS) : CLAIM_MS",
    replace: "isSlow && this.#leaseMs === 0 ? 0 : CLAIM_MS",
  },
  {
    rule: "After a stall the transport takes a holder for dead whose bytes wait unread.",
    file: "transport/zmtp/identity-claim.ts",
    find: "if (stalled) this.#begunAt = now;",
    replace: "",
  },
  {
    rule: "A ROUTER completes the handshake of a peer before it is admitted.",
    file: "transport/zmtp/connection.ts",
    find: 'this.#state = "identified";',
    replace: 'this.#state = "open";\n      effects.push({ do: "open" });',
  },
  {
    rule: "A client gets a log line for each text that it sends.",
    file: "broker/event-counter.ts",
    find: "return JSON.stringify(Object.values(fields));",
    replace: "return JSON.stringify(event);",
  },
  {
    rule: "READY and DISCONNECT in turn make a log line each.",
    file: "broker/line-rate.ts",
    find: "lines >= LINES_PER_PEER_MAX || ",
    replace: "",
  },
  {
    rule: "Names that only clients want keep workers out.",
    file: "broker/services.ts",
    find: "this.#byName.size - this.#wanted.length >= this.#max",
    replace: "this.#byName.size >= this.#max",
  },
  {
    rule: "A silent worker keeps its service beyond the bound of wanted services.",
    file: "broker/wanted-services.ts",
    find: "  for (const request of late.waiting.get(excess) ?? []) refuse(state, replies, request, now);\n",
    replace: "",
  },
  {
    rule: "A peer that makes up names uses up the series of the metrics for ever.",
    file: "broker/stats.ts",
    find: "    if (this.#kept.size > KEPT_MAX) this.#dropFirst();\n",
    replace: "",
  },
  {
    rule: "The broker delivers requests with more frames than a worker can decode.",
    file: "broker/request-bounds.ts",
    find: "body.length > BODY_FRAMES_MAX",
    replace: "body.length < 0",
  },
  {
    rule: "A worker ignores a REQUEST that it cannot decode, so its slot stays taken.",
    file: "workers/session.ts",
    find: "if (isBeforeReady(this.#state) || mayAnswerProbe(frames)) return [];",
    replace: "if (frames) return [];",
  },
];
