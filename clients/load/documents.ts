// Read your write, in the db service: each document is put, got and deleted, by one request at a
// time. Every key is new, since with a broker that names no requests a put that was asked twice may
// be done once more after its reply. There are as many documents as db requests at once, however
// long the run.

import { z } from "zod";
import type { Frame } from "../../protocol/frame.ts";
import { type Exchange, sketch } from "./exchange.ts";

type Document = {
  key: string;
  value: string;
  next: "put" | "get" | "delete";
};

export class Documents {
  readonly #waiting: Document[] = []; // Those without an outstanding request.

  /** `id` becomes part of the key and the value of a put, and must not come twice. */
  next(id: string): Exchange {
    const document = this.#waiting.pop() ?? newDocument(id);
    const { key, value, next } = document;
    const request = next === "put" ? { command: next, key, value } : { command: next, key };
    return {
      service: "db",
      body: [Buffer.from(JSON.stringify(request))],
      absentIsWrong: next === "get",
      wrong(reply) {
        const { success, data } = REPLY.safeParse(json(reply));
        const right = success && data.key === key && (next !== "get" || data.value === value);
        return right ? null : `${sketch(reply)} to ${JSON.stringify(request)}`;
      },
      over: (answered) => {
        if (next === "delete") return;
        // A put without a reply may have been done.
        document.next = next === "put" && answered ? "get" : "delete";
        this.#waiting.push(document);
      },
    };
  }
}

const newDocument = (id: string): Document => ({
  key: `load-${id}`,
  value: id + FILLER.repeat(Math.random() * FILLERS_MAX),
  next: "put",
});

/** The JSON of a reply, or undefined if it has none. */
function json(reply: Frame[]): unknown {
  try {
    return reply.length === 1 ? JSON.parse(String(reply[0])) : undefined;
  } catch {
    return undefined;
  }
}

const FILLER = " ü€😀"; // Text that is longer as UTF-8.
const FILLERS_MAX = 20;
const REPLY = z.object({ key: z.string(), value: z.unknown().optional() });
