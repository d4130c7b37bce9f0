// What is asked of a program over HTTP: by its supervisor GET /livez (its event loop turns) and GET
// /readyz (it can do its job now), 200 or 503 and a word, and by Prometheus GET /metrics.

import { createServer } from "node:http";
import { collectDefaultMetrics, type Registry } from "prom-client";
import { fail } from "./fail.ts";

/** Answers on `port` until closed; without a port, does nothing. */
export function serveHealth(
  program: string,
  port: number | undefined,
  ready: () => boolean,
  metrics: Registry,
) {
  if (port === undefined) return { close() {} };
  collectDefaultMetrics({ register: metrics });
  const server = createServer(async (request, response) => {
    const { code, type, page } = await answer(request.url, ready, metrics);
    response.writeHead(code, { "content-type": type }).end(page);
  });
  server.on("error", (error) => fail(program, `no health check on port ${port}: ${error.message}`));
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
  if (url === "/livez") return word(200, "live");
  if (url === "/readyz") return ready() ? word(200, "ready") : word(503, "not ready");
  return word(404, "no such page: try /livez, /readyz or /metrics");
}

const word = (code: number, page: string): Answer => ({
  code,
  type: "text/plain",
  page: `${page}\n`,
});
