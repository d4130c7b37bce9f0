// The HTTP server of the console, over HTTP.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Board } from "./board.ts";
import type { Form } from "./form-call.ts";
import { consoleServer } from "./server.ts";
import { Streams } from "./streams.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const FORM = { service: "echo", frames: ["hello"], timeoutMs: 1000 };
const JSON_TYPE = { "content-type": "application/json" };
const ACTION = { ...JSON_TYPE, authorization: `Bearer ${TOKEN}` };

type Answer = { status: number; headers: Record<string, unknown>; text: string };

/** A console without a broker: its calls are recorded, and echo the first frame. */
async function started(t: TestContext) {
  const forms: Form[] = [];
  const streams = new Streams(new Board([], 0), () => performance.now());
  const server = consoleServer({
    token: TOKEN,
    streams,
    async *call(form) {
      forms.push(form);
      yield { part: form.frames, ms: 1 };
      yield { status: 200, code: "", sentence: "", ms: 2 };
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    streams.close();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const asked = async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body = "",
  ): Promise<Answer> => {
    const length = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const asking = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: { ...length, ...headers },
    });
    asking.end(body);
    const [response] = await once(asking, "response");
    let text = "";
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode, headers: response.headers, text };
  };
  const calls = (headers: Record<string, string>, body: object | string = FORM) =>
    asked("POST", "/api/call", headers, typeof body === "string" ? body : JSON.stringify(body));
  return { asked, calls, forms, port };
}

/** Opens a stream. The server cuts it off when the test ends, which is no error. */
async function opened(port: number): Promise<IncomingMessage> {
  const asking = request({ host: "127.0.0.1", port, path: "/api/live" }).end();
  asking.on("error", () => {});
  const [response] = await once(asking, "response");
  response.on("error", () => {});
  return response;
}

test("page and its files: served with a strict policy; any other path: 404", async (t) => {
  const { asked } = await started(t);
  const page = await asked("GET", "/");
  assert.equal(page.status, 200);
  assert.match(page.text, /<script type="module" src="\/app.js">/);
  const policy = String(page.headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(page.headers["x-content-type-options"], "nosniff");
  for (const path of ["/app.js", "/lit-html/lit-html.js", "/uplot/uPlot.esm.js", "/style.css"])
    assert.equal((await asked("GET", path)).status, 200, path);
  for (const path of [
    "/../package.json",
    "/..%2fpackage.json",
    "/console.ts",
    "//etc/passwd",
    "/x",
  ])
    assert.equal((await asked("GET", path)).status, 404, path);
  const head = await asked("HEAD", "/");
  assert.deepEqual([head.status, head.text], [200, ""]);
  assert.equal((await asked("DELETE", "/")).status, 405);
});

test("every import of the page is of a file that the console serves", async (t) => {
  const { asked } = await started(t);
  const seen = new Set<string>();
  const visit = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const { status, text } = await asked("GET", path);
    assert.equal(status, 200, path);
    for (const [, target = ""] of text.matchAll(/(?:from|import) ?"([./][^"]+)"/g))
      await visit(new URL(target, `http://x${path}`).pathname);
  };
  await visit("/app.js");
  assert.ok(seen.size > 10, `${seen.size} files`);
});

test("requests of other sites: refused, for the page, the stream and calls", async (t) => {
  const { asked, forms } = await started(t);
  const foreign: Record<string, string>[] = [
    { host: "evil.example" },
    { origin: "http://evil.example" },
    { "sec-fetch-site": "cross-site" },
  ];
  for (const headers of foreign) {
    for (const path of ["/", "/api/live"])
      assert.equal((await asked("GET", path, headers)).status, 403);
    const action = await asked(
      "POST",
      "/api/call",
      { ...ACTION, ...headers },
      JSON.stringify(FORM),
    );
    assert.equal(action.status, 403);
  }
  assert.deepEqual(forms, []);
});

test("call without the token, or with another one: 401, and the service is not called", async (t) => {
  const { calls, forms } = await started(t);
  for (const authorization of ["", "Bearer ", "Bearer x", TOKEN, `Bearer ${TOKEN}0`])
    assert.equal((await calls({ ...JSON_TYPE, authorization })).status, 401, authorization);
  assert.deepEqual(forms, []);
});

test("call with the token: a line per part and a last one with the status", async (t) => {
  const { calls, forms } = await started(t);
  const { status, text } = await calls(ACTION);
  assert.equal(status, 200);
  assert.deepEqual(
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
    [
      { part: ["hello"], ms: 1 },
      { status: 200, code: "", sentence: "", ms: 2 },
    ],
  );
  assert.deepEqual(forms, [FORM]);
});

test("form that is not valid, not JSON or too large: refused", async (t) => {
  const { calls, asked, forms } = await started(t);
  const bad = [{}, { ...FORM, service: "" }, { ...FORM, frames: [] }, { ...FORM, frames: [1] }];
  for (const form of [...bad, { ...FORM, timeoutMs: 0 }, { ...FORM, timeoutMs: 1e9 }, "no json"])
    assert.equal((await calls(ACTION, form)).status, 400, JSON.stringify(form));
  assert.equal((await calls({ ...ACTION, "content-type": "text/plain" })).status, 415);
  const chunked = { ...ACTION, "transfer-encoding": "chunked" };
  assert.equal((await asked("POST", "/api/call", chunked)).status, 413);
  const large = { ...FORM, frames: ["x".repeat(1_100_000)] };
  assert.equal((await calls(ACTION, large)).status, 413);
  assert.equal((await asked("GET", "/api/call")).status, 405);
  assert.deepEqual(forms, []);
});

test("stream: the history first, then the view", async (t) => {
  const { port } = await started(t);
  const response = await opened(port);
  assert.equal(response.headers["content-type"], "text/event-stream");
  let text = "";
  for await (const chunk of response) {
    text += chunk;
    if (text.split("\n\n").length > 2) break;
  }
  assert.deepEqual(
    [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name),
    ["history", "view"],
  );
});

test("more open pages than the bound: 503 for the next one", async (t) => {
  const { port } = await started(t);
  const open = async () => {
    const response = await opened(port);
    return response.statusCode;
  };
  const statuses = await Promise.all(Array.from({ length: 33 }, open));
  assert.deepEqual(
    statuses.filter((status) => status !== 200),
    [503],
  );
});
