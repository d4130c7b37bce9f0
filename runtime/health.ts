// The HTTP endpoints of a program. For its supervisor: GET /livez (the event loop runs) and GET /readyz
// (the program can do its job now), which answer 200 or 503. For Prometheus: GET /metrics.

import { createServer, type IncomingMessage } from "node:http";
import { collectDefaultMetrics, type Registry } from "prom-client";
import { fail } from "./fail.ts";

/**
 * Serves the endpoints on `port` until closed; does nothing without a port. `listening` resolves when
 * the port is open, so that a program can start the rest after it. A port that cannot be opened ends
 * the process with exit code 1, and `listening` stays pending.
 */
export function serveHealth(
  program: string,
  port: number | undefined,
  ready: () => boolean,
  metrics: Registry,
) {
  if (port === undefined) return { listening: Promise.resolve(), close() {} };
  collectDefaultMetrics({ register: metrics });
  const server = createServer(async (request, response) => {
    const { code, type, page, allow } = await answer(request, ready, metrics).catch(
      (error: Error) => text(500, error.message),
    );
    const headers = { "content-type": type, ...(allow && { allow }) };
    response.writeHead(code, headers).end(page);
  });
  server.on("error", (error) => {
    if (server.listening) return; // EMFILE: a connection waits until the process has a free file.
    fail(program, `cannot serve health checks on port ${port}: ${error.message}`);
  });
  server.maxConnections = CONNECTIONS_MAX;
  const opened = Promise.withResolvers<void>();
  server.listen(port, opened.resolve);
  return {
    listening: opened.promise,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A supervisor and a few scrapers; open-files.ts reserves their files. */
const CONNECTIONS_MAX = 32;

type Answer = { code: number; type: string; page: string; allow?: string };

async function answer(
  { method, url = "" }: IncomingMessage,
  ready: () => boolean,
  metrics: Registry,
): Promise<Answer> {
  // 9110/HTTP, 15.5.6: a 405 names the methods in Allow.
  if (method !== "GET" && method !== "HEAD")
    return { ...text(405, "only GET and HEAD are possible"), allow: "GET, HEAD" };
  const [path] = url.split("?", 1);
  if (path === "/metrics")
    return { code: 200, type: metrics.contentType, page: await metrics.metrics() };
  if (path === "/livez") return text(200, "live");
  if (path === "/readyz") return ready() ? text(200, "ready") : text(503, "not ready");
  return text(404, "no such page: try /livez, /readyz or /metrics");
}

const text = (code: number, page: string): Answer => ({
  code,
  type: "text/plain",
  page: `${page}\n`,
});
