// What a supervisor asks a program over HTTP: GET /livez (its event loop turns) and GET /readyz
// (it can do its job now): 200 or 503, and a word.

import { createServer } from "node:http";
import { fail } from "./fail.ts";

/** Answers on `port` until closed; without a port, does nothing. */
export function serveHealth(program: string, port: number | undefined, ready: () => boolean) {
  if (port === undefined) return { close() {} };
  const server = createServer((request, response) => {
    const [code, word] = answer(request.url, ready);
    response.writeHead(code, { "content-type": "text/plain" }).end(`${word}\n`);
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

function answer(url: string | undefined, ready: () => boolean): [number, string] {
  if (url === "/livez") return [200, "live"];
  if (url === "/readyz") return ready() ? [200, "ready"] : [503, "not ready"];
  return [404, "no such page: try /livez or /readyz"];
}
