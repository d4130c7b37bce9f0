// A wrong broker endpoint: workers and clients name the reason. On libzmq it is not always known.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { transport } from "../transport.ts";
import { freeEndpoint, Program } from "./program.ts";

async function httpServer(t: TestContext) {
  const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
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
      const sentence = `^\\w+: no broker answers at ${MDP_BROKER} ${expected}: start one with .+\\n$`;
      assert.match(program.errors, new RegExp(sentence));
    }
  });
}
