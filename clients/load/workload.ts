// Creates the requests of the load client. Almost every request of a run is unique, so the reply to
// another request is detected.

import { randomBytes } from "node:crypto";
import type { Frame } from "../../protocol/frame.ts";
import { Documents } from "./documents.ts";
import { type Exchange, type OwnService, preview, type ServiceName } from "./exchange.ts";
import { randomExpression } from "./expression.ts";

/** The weight of each service: its share of the requests. */
export type Mix = ReadonlyMap<ServiceName, number>;

/** The source of the requests of one run. */
export type Requests = { next(): Exchange };

/** The requests of a run to one service of the user. */
export class OwnWorkload implements Requests {
  readonly #own: OwnService;

  constructor(own: OwnService) {
    this.#own = own;
  }

  next(): Exchange {
    return { ...this.#own, mismatch: () => null, mustExist: false, ended() {} };
  }
}

/** The requests of a run to the services of this project. */
export class Workload implements Requests {
  readonly #run = randomBytes(6).toString("hex"); // Distinguishes the bodies of different runs.
  readonly #documents = new Documents();
  readonly #mix: Mix;
  readonly #weights: number; // The sum of the mix.
  #created = 0;

  constructor(mix: Mix) {
    this.#mix = mix;
    this.#weights = [...mix.values()].reduce((sum, weight) => sum + weight, 0);
  }

  /** Returns the next request, for a service chosen at random by its weight. */
  next(): Exchange {
    const id = `${this.#run}-${++this.#created}`;
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
    mismatch(reply) {
      const same =
        reply.length === body.length && reply.every((frame, at) => body[at]?.equals(frame));
      return same ? null : `${preview(reply)} instead of ${preview(body)}`;
    },
    mustExist: false,
    ended() {},
  };
}

function math(): Exchange {
  const { text, value } = randomExpression(Math.random);
  return {
    service: "math",
    body: [Buffer.from(text)],
    mismatch(reply) {
      const digits = reply.length === 1 ? String(reply[0]).trim() : "";
      // Compared as numbers: 100000 and 1e+5 are both correct.
      const same = digits !== "" && Number(digits) === value;
      return same ? null : `${preview(reply)} instead of ${value} for ${text}`;
    },
    mustExist: false,
    ended() {},
  };
}

/** Returns a slice of one random block, which costs less than new random bytes per frame. */
function randomFrame(): Frame {
  const size = FRAME_BYTES[below(FRAME_BYTES.length)] ?? 0;
  const from = below(RANDOM.length - size);
  return RANDOM.subarray(from, from + size);
}

const below = (limit: number) => Math.floor(Math.random() * limit);

const RANDOM_FRAMES_MAX = 3;
const FRAME_BYTES = [0, 1, 16, 128, 1024, 8192];
const RANDOM = randomBytes(1 << 18);
