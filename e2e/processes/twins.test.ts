// Two live workers with one routing id: each request is answered, and a reply reaches its client only.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Dealer } from "zeromq";
import { Client } from "../../clients/client.ts";
import { transport } from "../transport.ts";
import { freeEndpoint, Program } from "./program.ts";

const skip = transport.version.startsWith("libzmq") && "libzmq ignores the second one";

async function start(t: TestContext) {
  const endpoint = await freeEndpoint();
  const broker = new Program("broker/main.ts", [], { MDP_BIND: endpoint });
  t.after(() => broker.destroy());
  await broker.logged("broker.listening");
  const client = new Client(endpoint, { transport, silenceMs: 20_000 });
  t.after(() => client.close());
  const twin = (name: string) => {
    const settings = { MDP_BROKER: endpoint, TWIN_NAME: name };
    const program = new Program("e2e/processes/twin.ts", [], settings);
    t.after(() => program.destroy());
    return program;
  };
  return { endpoint, broker, client, twin };
}

const asks = async (client: Client) => String(await client.request("twin", "hello"));

test("two live workers with one routing id: every request is answered by the first one", async (t) => {
  const { broker, client, twin } = await start(t);
  const first = twin("first");
  await broker.logged("worker.registered");
  twin("second");
  if (!skip) {
    const { reason, from, msg } = await broker.logged("connections.refused");
    assert.match(String(reason), /^its identity belongs to the peer at 127\.0\.0\.1:[0-9]+$/);
    assert.equal(from, "127.0.0.1");
    assert.equal(msg, `1 connection from 127.0.0.1 refused: ${reason}`);
  }
  for (let nth = 0; nth < 30; nth += 1) assert.equal(await asks(client), "first");
  if (skip) return;
  const lines = broker.log.length;
  await first.destroy();
  await broker.logged("worker.registered", undefined, { from: lines });
  assert.equal(await asks(client), "second");
});

test("worker frozen: its twin is served after a lease, and gets the requests of the frozen one", {
  skip,
}, async (t) => {
  const { broker, client, twin } = await start(t);
  const first = twin("first");
  await broker.logged("worker.registered");
  assert.equal(await asks(client), "first");
  first.signal("SIGSTOP");
  const frozenAt = performance.now();
  const answer = asks(client);
  const second = twin("second");
  await second.logged("twin.connected");
  assert.ok(performance.now() - frozenAt > 2000, "a worker keeps its identity for a lease");
  assert.equal(await answer, "second");
  const [removed] = broker.all("worker.removed");
  assert.match(String(removed?.reason), /^(gone|expired)$/);
  assert.equal(removed?.requeued, 1);
});

test("peer that takes the address of a live client: the client gets its replies, the peer none", async (t) => {
  const { endpoint, broker, twin } = await start(t);
  twin("worker");
  await broker.logged("worker.registered");
  const ask = ["", "MDPC01", "twin", "hello"];
  const newClient = () => {
    const client = new Dealer({ routingId: "client", linger: 0, reconnectInterval: 100 });
    t.after(() => client.close());
    client.connect(endpoint);
    return client;
  };
  const client = newClient();
  const stolen: string[] = [];
  await client.send(ask);
  assert.equal(String((await client.receive()).at(-1)), "worker");
  const thief = newClient();
  void (async () => {
    for await (const reply of thief) stolen.push(reply.join());
  })();
  for (let nth = 0; nth < 200; nth += 1) {
    await client.send(ask);
    assert.equal(String((await client.receive()).at(-1)), "worker");
  }
  assert.deepEqual(stolen, []);
});
