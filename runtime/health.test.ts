import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { Registry } from "prom-client";
import { serveHealth } from "./health.ts";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The health port of a program that is ready or not. */
async function start(isReady = true) {
  const port = await freePort();
  const health = serveHealth({ port }, () => isReady, new Registry());
  await health.listening; // No test waits for the port in another way.
  return {
    fetch: (path: string, method = "GET") =>
      fetch(`http://127.0.0.1:${port}${path}`, { method }).then(async (response) => ({
        status: response.status,
        allow: response.headers.get("allow"),
        text: await response.text(),
      })),
    [Symbol.dispose]: () => health.close(),
  };
}

test("path with a query: the query does not count", async () => {
  using health = await start();
  for (const path of ["/livez", "/readyz", "/metrics"]) {
    assert.equal((await health.fetch(path)).status, 200);
    assert.equal((await health.fetch(`${path}?verbose=1&a=/livez`)).status, 200);
  }
  assert.equal((await health.fetch("/?path=/livez")).status, 404);
  using unready = await start(false);
  assert.equal((await unready.fetch("/readyz?verbose")).status, 503);
});

test("HEAD: the status of GET without a page", async () => {
  using health = await start();
  assert.deepEqual(await health.fetch("/livez", "HEAD"), { status: 200, allow: null, text: "" });
});

for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
  test(`${method}: status 405 with the methods in Allow, on any path`, async () => {
    using health = await start();
    for (const path of ["/livez", "/metrics", "/else"]) {
      const { status, allow } = await health.fetch(path, method);
      assert.deepEqual([status, allow], [405, "GET, HEAD"]);
    }
  });
}

test("no port: nothing listens, and a program may start at once", async () => {
  const health = serveHealth(undefined, () => true, new Registry());
  await health.listening;
  health.close();
});

test("no registry: no page of metrics, and the other pages", async (t) => {
  const port = await freePort();
  const health = serveHealth({ port }, () => true, undefined);
  t.after(() => health.close());
  await health.listening;
  const page = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.deepEqual(
    [page.status, await page.text()],
    [404, "no such page: try /livez or /readyz\n"],
  );
  assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
});

test("port in use: listening rejects with the port and the reason", async (t) => {
  const port = await freePort();
  const first = serveHealth({ port }, () => true, undefined);
  t.after(() => first.close());
  await first.listening;
  const second = serveHealth({ port }, () => true, undefined);
  await assert.rejects(second.listening, {
    message: new RegExp(`^cannot serve health checks on port ${port}: .*EADDRINUSE`),
  });
});

test("no host: only this machine reaches the port", async (t) => {
  const port = await freePort();
  const health = serveHealth({ port }, () => true, undefined);
  t.after(() => health.close());
  await health.listening;
  const others = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  for (const { address, family, internal } of others) {
    if (internal || family !== "IPv4") continue;
    await assert.rejects(fetch(`http://${address}:${port}/livez`), address);
  }
});
