// A wrong broker endpoint: workers and clients name the reason. On libzmq it is not always known.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Router } from "zeromq";
import { transport } from "../transport.ts";
import { freeEndpoint, Program } from "./program.ts";

async function httpServer(t: TestContext) {
  const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A peer that accepts connections and sends nothing: a stopped process looks the same. */
async function silentServer(t: TestContext) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => sockets.add(socket.on("error", () => {})));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A broker that completes the handshake and answers nothing. */
async function silentBroker(t: TestContext) {
  const endpoint = await freeEndpoint();
  const socket = new Router({ linger: 0 });
  t.after(() => socket.close());
  await socket.bind(endpoint);
  return endpoint;
}

for (const { title, endpoint, code, sentence } of [
  { title: "nothing listens", endpoint: freeEndpoint, code: 1, sentence: /no broker answers/ },
  { title: "stopped process", endpoint: silentServer, code: 1, sentence: /no broker answers/ },
  { title: "silent broker", endpoint: silentBroker, code: 3, sentence: /does not answer either/ },
]) {
  test(`${title}: call --timeout 1000 ends after about 1 s with exit code ${code}`, async (t) => {
    const started = performance.now();
    await new Program("clients/call.ts", ["--help"]).ended;
    const startMs = performance.now() - started;
    const args = ["--timeout", "1000", "echo", "hello"];
    const begun = performance.now();
    const call = new Program("clients/call.ts", args, { MDP_BROKER: await endpoint(t) });
    assert.equal((await call.ended).code, code, call.errors);
    assert.match(call.errors, sentence);
    const tookMs = performance.now() - begun;
    assert.ok(tookMs < 1500 + 2 * startMs, `${tookMs} ms; a start takes ${startMs} ms`);
  });
}

const isLibzmq = transport.version.startsWith("libzmq");

/** Each mistake with its reason in sentences, as a pattern. */
const MISTAKES = [
  { title: "wrong port", endpoint: freeEndpoint, reason: "ECONNREFUSED", onLibzmq: "UNKNOWN: .+" },
  {
    title: "wrong host",
    endpoint: () => "tcp://nosuch.invalid:5555",
    reason: "ENOTFOUND|EAI_AGAIN|ETIMEDOUT: .+", // Without a name server the lookup may take long.
    onLibzmq: "UNKNOWN: .+",
  },
  {
    title: "HTTP server",
    endpoint: httpServer,
    reason: "EPROTO: something there does not speak ZMTP",
    onLibzmq: "\\w+: the ZMTP handshake failed.+",
  },
];

for (const { title, endpoint, reason, onLibzmq } of MISTAKES) {
  const expected = `\\((${isLibzmq ? onLibzmq : reason})\\)`;

  test(`${title} in MDP_BROKER: the worker logs the reason, once`, async (t) => {
    const MDP_BROKER = await endpoint(t);
    const worker = new Program("workers/echo.ts", [], { MDP_BROKER });
    const { msg, broker, code, retryMs } = await worker.logged("session.unreachable");
    const sentence = `^cannot connect to ${MDP_BROKER} ${expected}; next try in [0-9]+ ms$`;
    assert.match(String(msg), new RegExp(sentence));
    assert.equal(broker, MDP_BROKER);
    assert.ok(String(msg).includes(`(${code}`) && String(msg).includes(`in ${retryMs} ms`));
    await new Promise((resolve) => setTimeout(resolve, 2000)); // For some more attempts.
    assert.equal(worker.all("session.unreachable").filter((line) => line.code === code).length, 1);
    assert.deepEqual(await worker.stop(), { code: 0, signal: null });
  });

  test(`${title} in --broker: call and load name the reason; call ends after its timeout`, async (t) => {
    const MDP_BROKER = await endpoint(t);
    for (const [file, ...args] of [
      ["clients/call.ts", "--timeout", "1500", "echo", "hello"],
      ["clients/load.ts"],
    ]) {
      const program = new Program(file as string, args, { MDP_BROKER });
      assert.equal((await program.ended).code, 1);
      const lines = program.errors.trim().split("\n");
      const last = lines.pop() ?? "";
      const failed = `^\\w+: cannot connect to ${MDP_BROKER} ${expected}; next try in [0-9]+ ms$`;
      assert.ok(lines.length > 0, "no failure was reported at once");
      for (const line of lines) assert.match(line, new RegExp(failed)); // Each with another code.
      const sentence = `^\\w+: no broker answers at ${MDP_BROKER} ${expected}: start one with .+$`;
      assert.match(last, new RegExp(sentence));
    }
  });
}
