// A call of a service for the form of the page. The answer is a stream of JSON lines: one per part of the
// reply, and a last one with the status.

import { z } from "zod";
import { type Client, RequestError } from "../client.ts";

/** The body of POST /api/call. */
const form = z.object({
  service: z.string().min(1).max(255),
  /** The frames of the request. */
  frames: z.array(z.string()).min(1).max(100),
  timeoutMs: z.number().int().min(1).max(600_000),
});

export type Form = z.infer<typeof form>;

/** A line of the answer. `ms` is the time since the request was sent. */
export type CallLine =
  | { part: string[]; ms: number }
  | { status: number; code: string; sentence: string; ms: number };

/** Parses a form; null if it is not valid. */
export function parseForm(json: string): Form | null {
  try {
    return form.parse(JSON.parse(json));
  } catch {
    return null;
  }
}

/** Calls the service, and yields the lines. The last line has a status. Never throws. */
export async function* callService(
  client: Client,
  { service, frames, timeoutMs }: Form,
  signal: AbortSignal,
): AsyncGenerator<CallLine> {
  const start = performance.now();
  const ms = () => Math.round((performance.now() - start) * 10) / 10;
  try {
    for await (const body of client.stream(service, frames, { timeoutMs, signal }))
      yield { part: body.map(shown), ms: ms() };
    yield { status: 200, code: "", sentence: "", ms: ms() };
  } catch (error) {
    const status = error instanceof RequestError ? (error.status ?? 0) : 0;
    const code = error instanceof RequestError ? error.code : "";
    yield { status, code, sentence: (error as Error).message, ms: ms() };
  }
}

/** A frame as text; one that is not UTF-8 in hexadecimal digits. */
function shown(frame: Buffer): string {
  const cut = frame.subarray(0, SHOWN_BYTES_MAX);
  const text = new TextDecoder().decode(cut, { stream: true });
  const isText = !text.includes("\ufffd");
  const more = frame.length > SHOWN_BYTES_MAX ? ` … (${frame.length} bytes)` : "";
  return (isText ? text : cut.toString("hex")) + more;
}

/** The page shows at most so many bytes of a frame. */
const SHOWN_BYTES_MAX = 65_536;
