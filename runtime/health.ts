// The HTTP endpoints of a program. For its supervisor: GET /livez (the event loop runs) and GET /readyz
// (the program can do its job now), which answer 200 or 503. For Prometheus: GET /metrics.

import { createServer } from "node:http";
import { collectDefaultMetrics, type Registry } from "prom-client";
import { fail } from "./fail.ts";

/** Serves the endpoints on `port` until closed; does nothing without a port. */
export function serveHealth(
  program: string,
  port: number | undefined,
  ready: () => boolean,
  metrics: Registry,
) {
  if (port === undefined) return { close() {} };
  collectDefaultMetrics({ register: metrics });
  const server = createServer(async (request, response) => {
    const { code, type, page } = await answer(request.url, ready, metrics).catch((error: Error) =>
      text(500, error.message),
    );
    response.writeHead(code, { "content-type": type }).end(page);
  });
  server.on("error", (error) => {
    if (server.listening) return; // EMFILE: a connection waits until the process has a free file.
    fail(program, `cannot serve health checks on port ${port}: ${error.message}`);
  });
  server.listen(port);
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

type Answer = { code: number; type: string; page: string };

async function answer(
  url: string | undefined,
  ready: () => boolean,
  metrics: Registry,
): Promise<Answer> {
  if (url === "/metrics")
    return { code: 200, type: metrics.contentType, page: await metrics.metrics() };
  if (url === "/livez") return text(200, "live");
  if (url === "/readyz") return ready() ? text(200, "ready") : text(503, "not ready");
  return text(404, "no such page: try /livez, /readyz or /metrics");
}

const text = (code: number, page: string): Answer => ({
  code,
  type: "text/plain",
  page: `${page}\n`,
});
