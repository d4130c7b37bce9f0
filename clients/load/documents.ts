// Requests to the db service that check read-your-writes: put, get and delete of one document, one
// request at a time. Every document has a new key: without request ids, the service may execute a
// put again after its reply. The number of documents never exceeds the number of outstanding db
// requests.

import { z } from "zod";
import type { Frame } from "../../protocol/frame.ts";
import { decodeText } from "../../protocol/text.ts";
import { type Exchange, preview } from "./exchange.ts";

type Document = {
  key: string;
  value: string;
  next: "put" | "get" | "delete";
};

/** The documents of one run, and the request that comes next for each. */
export class Documents {
  readonly #idle: Document[] = []; // Those without an outstanding request.

  /** Returns the next request. `id` is part of the key and value of a put; it must be unique. */
  next(id: string): Exchange {
    const document = this.#idle.pop() ?? newDocument(id);
    const { key, value, next } = document;
    const request = next === "put" ? { command: next, key, value } : { command: next, key };
    return {
      service: "db",
      body: [Buffer.from(JSON.stringify(request))],
      mustExist: next === "get",
      mismatch(reply) {
        const { success, data } = REPLY.safeParse(json(reply));
        const isCorrect = success && data.key === key && (next !== "get" || data.value === value);
        return isCorrect ? null : `${preview(reply)} to ${JSON.stringify(request)}`;
      },
      ended: (answered) => {
        if (next === "delete") return;
        // The service may have executed a put without a reply.
        document.next = next === "put" && answered ? "get" : "delete";
        this.#idle.push(document);
      },
    };
  }
}

const newDocument = (id: string): Document => ({
  key: `load-${id}`,
  value: id + FILLER.repeat(Math.random() * FILLERS_MAX),
  next: "put",
});

/** Returns the JSON of a reply, or undefined where it is not JSON in UTF-8. */
function json(reply: Frame[]): unknown {
  try {
    const text = reply.length === 1 ? decodeText(reply[0] as Frame) : null;
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const FILLER = " ü€😀"; // Characters of 1, 2, 3 and 4 bytes.
const FILLERS_MAX = 20;
const REPLY = z.object({ key: z.string(), value: z.unknown().optional() });
