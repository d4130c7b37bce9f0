// The HTTP server of the console: the page, the stream of views and the calls of the form. access.ts has
// the rules for requests of other sites.

import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { refusalOf } from "./access.ts";
import { pageFiles } from "./files.ts";
import type { CallLine, Form } from "./form-call.ts";
import { parseForm } from "./form-call.ts";
import type { Streams } from "./streams.ts";

export type Console = {
  /** With this token, a page may act: call a service. */
  token: string;
  streams: Streams;
  call(form: Form, signal: AbortSignal): AsyncIterable<CallLine>;
};

/** The server, not yet listening. */
export function consoleServer({ token, streams, call }: Console) {
  const files = pageFiles();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    answer(request, response).catch((error: Error) => {
      if (!response.headersSent) refuse(response, 500, error.message);
      else response.destroy();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const { method = "", url = "", headers } = request;
    const [path = ""] = url.split("?", 1);
    const isRead = method === "GET" || method === "HEAD";
    const refusal = refusalOf(!isRead, headers);
    if (refusal !== null) return refuse(response, 403, refusal);
    if (path === "/api/call") {
      if (method !== "POST") return refuse(response, 405, "only POST is possible", "POST");
      return act(request, response);
    }
    if (!isRead) return refuse(response, 405, "only GET and HEAD are possible", "GET, HEAD");
    if (path === "/api/live") return streams.add(response);
    const file = files.get(path);
    if (!file) return refuse(response, 404, "no such page");
    response.writeHead(200, { "content-type": file.type, "content-length": file.content.length });
    response.end(method === "HEAD" ? undefined : file.content);
  }

  async function act(request: IncomingMessage, response: ServerResponse) {
    const { headers } = request;
    if (!isSameText(headers.authorization ?? "", `Bearer ${token}`))
      return refuse(response, 401, "calls need the token that the console printed at its start");
    // A form of another site cannot send this type.
    if (headers["content-type"] !== "application/json")
      return refuse(response, 415, "the body must be application/json");
    if (Number(headers["content-length"] ?? Infinity) > FORM_BYTES_MAX)
      return refuse(response, 413, `the body must have at most ${FORM_BYTES_MAX} bytes`);
    const form = parseForm(await text(request));
    if (form === null) return refuse(response, 400, "the form is not valid");
    const left = new AbortController();
    response.on("close", () => left.abort());
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    for await (const line of call(form, left.signal)) response.write(`${JSON.stringify(line)}\n`);
    response.end();
  }

  return server;
}

function refuse(response: ServerResponse, status: number, sentence: string, allow?: string) {
  const headers = { "content-type": "text/plain; charset=utf-8", ...(allow && { allow }) };
  response.writeHead(status, headers).end(`${sentence}\n`);
}

/** Compares in constant time. */
function isSameText(one: string, other: string): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** For every answer: the page loads nothing from another host, and no other page may embed it. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types lit-html",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** Some pages, each with a stream and some requests. */
const CONNECTIONS_MAX = 200;
const FORM_BYTES_MAX = 1_000_000;
