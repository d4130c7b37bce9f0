// What the load client asks of the services. Nearly no two requests of a run are alike, so that a
// reply to another request is noticed. Nothing is sent from here.

import { randomBytes } from "node:crypto";
import type { Frame } from "../../protocol/frame.ts";
import { Documents } from "./documents.ts";
import { type Exchange, type ServiceName, sketch } from "./exchange.ts";
import { randomExpression } from "./expression.ts";

/** How many of the requests go to each service, in proportion to the others. */
export type Mix = ReadonlyMap<ServiceName, number>;

export class Workload {
  readonly #run = randomBytes(6).toString("hex"); // Tells the bodies of this run from any other's.
  readonly #documents = new Documents();
  readonly #mix: Mix;
  readonly #weights: number; // The sum of the mix.
  #made = 0; // How many exchanges there were.

  constructor(mix: Mix) {
    this.#mix = mix;
    this.#weights = [...mix.values()].reduce((sum, weight) => sum + weight, 0);
  }

  next(): Exchange {
    const id = `${this.#run}-${++this.#made}`;
    switch (this.#pick()) {
      case "echo":
        return echo(id);
      case "math":
        return math();
      case "db":
        return this.#documents.next(id);
    }
  }

  #pick(): ServiceName {
    let point = Math.random() * this.#weights;
    for (const [service, weight] of this.#mix) {
      if (point < weight) return service;
      point -= weight;
    }
    throw new Error("the mix has no service");
  }
}

function echo(id: string): Exchange {
  const body = Array.from({ length: below(RANDOM_FRAMES_MAX + 1) }, randomFrame);
  body.splice(below(body.length + 1), 0, Buffer.from(id));
  return {
    service: "echo",
    body,
    wrong(reply) {
      const same =
        reply.length === body.length && reply.every((frame, at) => body[at]?.equals(frame));
      return same ? null : `${sketch(reply)} instead of ${sketch(body)}`;
    },
    absentIsWrong: false,
    over() {},
  };
}

function math(): Exchange {
  const { text, value } = randomExpression(Math.random);
  return {
    service: "math",
    body: [Buffer.from(text)],
    wrong(reply) {
      const digits = reply.length === 1 ? String(reply[0]).trim() : "";
      // Compared as numbers, since 100000 and 1e+5 are both right.
      const same = digits !== "" && Number(digits) === value;
      return same ? null : `${sketch(reply)} instead of ${value} for ${text}`;
    },
    absentIsWrong: false,
    over() {},
  };
}

/** A slice of one random block: much cheaper than random bytes for each frame. */
function randomFrame(): Frame {
  const size = FRAME_BYTES[below(FRAME_BYTES.length)] ?? 0;
  const from = below(RANDOM.length - size);
  return RANDOM.subarray(from, from + size);
}

const below = (limit: number) => Math.floor(Math.random() * limit);

const RANDOM_FRAMES_MAX = 3;
const FRAME_BYTES = [0, 1, 16, 128, 1024, 8192];
const RANDOM = randomBytes(1 << 18);
