// The HTTP endpoints of a program. For its supervisor: GET /livez (the event loop runs) and GET /readyz
// (the program can do its job now), which answer 200 or 503. For Prometheus: GET /metrics.

import { createServer, type IncomingMessage } from "node:http";
import { checkWhole, invalid } from "./invalid-option.ts";
import type { MetricsRegistry } from "./metrics.ts";
import { PORT } from "./ranges.ts";

/** Where the endpoints listen. */
export type HealthOptions = {
  /** From 1 to 65,535. */
  port: number;
  /** A name or an address of this machine; 127.0.0.1 by default, `::` for all addresses. */
  host?: string | undefined;
};

/** The host on which the endpoints listen by default: no other machine reaches them. */
export const HEALTH_HOST = "127.0.0.1";

/** Throws a RangeError that names the first invalid option and its value. */
export function checkHealth(health: HealthOptions) {
  checkWhole("health.port", health?.port, PORT);
  const { host } = health;
  if (host !== undefined && (typeof host !== "string" || host === ""))
    throw invalid("health.host", host, "a name or an address of this machine");
}

/**
 * Serves the endpoints until closed; does nothing without `where`. `listening` resolves when the port
 * is open, so that a program can start the rest after it, and rejects with an Error if the port cannot
 * be opened. Without a registry there is no /metrics.
 */
export function serveHealth(
  where: HealthOptions | undefined,
  ready: () => boolean,
  registry: MetricsRegistry | undefined,
) {
  if (where === undefined) return { listening: Promise.resolve(), close() {} };
  const { port, host = HEALTH_HOST } = where;
  const server = createServer(async (request, response) => {
    const { code, type, page, allow } = await answer(request, ready, registry).catch(
      (error: Error) => text(500, error.message),
    );
    const headers = { "content-type": type, ...(allow && { allow }) };
    response.writeHead(code, headers).end(page);
  });
  const opened = Promise.withResolvers<void>();
  server.on("error", (error) => {
    if (server.listening) return; // EMFILE: a connection waits until the process has a free file.
    const sentence = `cannot serve health checks on port ${port}: ${error.message}`;
    opened.reject(new Error(sentence, { cause: error }));
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(port, host, opened.resolve);
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
  registry: MetricsRegistry | undefined,
): Promise<Answer> {
  // 9110/HTTP, 15.5.6: a 405 names the methods in Allow.
  if (method !== "GET" && method !== "HEAD")
    return { ...text(405, "only GET and HEAD are possible"), allow: "GET, HEAD" };
  const [path] = url.split("?", 1);
  if (path === "/metrics" && registry)
    return { code: 200, type: registry.contentType, page: await registry.metrics() };
  if (path === "/livez") return text(200, "live");
  if (path === "/readyz") return ready() ? text(200, "ready") : text(503, "not ready");
  return text(404, `no such page: try /livez${registry ? ", /readyz or /metrics" : " or /readyz"}`);
}

const text = (code: number, page: string): Answer => ({
  code,
  type: "text/plain",
  page: `${page}\n`,
});
