import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import dns from "node:dns";
import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { mailbox } from "../mailbox.testing.ts";
import { type ConnectFailure, reasonOf } from "../transport.ts";
import { addressesOf } from "./lookups.ts";
import { bind, connect } from "./sockets.ts";

const BINDING = { frameBytesMax: 1000, unsentBytesMax: 2 ** 20, deadAfterMs: 10_000 };

/** The system's lookup takes `ms` for these addresses of any name. Returns the names looked up. */
function slowLookup(t: TestContext, ms: number, addresses: string[]) {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const names: string[] = [];
  const lookup = (name: string, _options: object, done: (error: null, all: object[]) => void) => {
    names.push(name);
    void setTimeout(ms, undefined, { ref: false }).then(() => done(null, found));
  };
  t.mock.method(dns, "lookup", lookup as unknown as typeof dns.lookup);
  return names;
}

async function broker(t: TestContext, host = "127.0.0.1", port = "*") {
  const events = { message() {}, gone() {}, refused() {} };
  const bound = await bind(`tcp://${host}:${port}`, BINDING, events);
  t.after(() => bound.close());
  return Number(/:([0-9]+)$/.exec(bound.endpoint)?.[1]);
}

function client(t: TestContext, endpoint: string) {
  const failures = mailbox<string>();
  const opened = Promise.withResolvers<void>();
  const socket = connect(endpoint, BINDING, {
    opened: opened.resolve,
    message() {},
    gone() {},
    failed: (failure: ConnectFailure) => failures.put(reasonOf(failure)),
  });
  t.after(() => socket.close(0));
  return { opened: opened.promise, failed: failures.next };
}

test("lookup that takes longer than an attempt: the next attempt gets its result", async (t) => {
  const port = await broker(t);
  const names = slowLookup(t, 1300, ["127.0.0.1"]);
  const { opened, failed } = client(t, `tcp://slow.test:${port}`);
  assert.equal(await failed(), "ETIMEDOUT: no address of slow.test within 1000 ms");
  await opened;
  assert.deepEqual(names, ["slow.test"]);
});

test("lookup that takes for ever: no second one, for any number of clients", async (t) => {
  const names = slowLookup(t, 1_000_000_000, []);
  const clients = Array.from({ length: 20 }, () => client(t, "tcp://endless.test:5555"));
  for (const { failed } of clients) for (let nth = 0; nth < 2; nth += 1) await failed();
  assert.deepEqual(names, ["endless.test"]);
});

/** A process that listens at this port of these addresses, and never accepts a connection. */
async function deadAddresses(t: TestContext, port: number, hosts: string[]) {
  const program = `for (const host of ${JSON.stringify(hosts)})
    require("net").createServer().listen({ host, port: ${port}, backlog: 1 }, () => console.log(host));`;
  const child: ChildProcess = spawn(process.execPath, ["--eval", program]);
  t.after(() => child.kill("SIGKILL"));
  let ready = "";
  for await (const text of child.stdout ?? []) {
    ready += text;
    if (ready.trim().split("\n").length === hosts.length) break;
  }
  child.kill("SIGSTOP");
  for (const host of hosts)
    for (let nth = 0; nth < 3; nth += 1) {
      const filler = connectTcp({ host, port }).on("error", () => {});
      t.after(() => filler.destroy());
      if (nth < 2) await once(filler, "connect");
    }
}

test("four dead addresses before a good one: connected", {
  skip: process.platform !== "linux", // Others have one loopback address.
}, async (t) => {
  const port = await broker(t, "127.0.0.6");
  const dead = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
  await deadAddresses(t, port, dead);
  slowLookup(t, 0, [...dead, "127.0.0.6"]);
  const begunAt = performance.now();
  await client(t, `tcp://many.test:${port}`).opened;
  assert.ok(performance.now() - begunAt >= 4 * 240, "one address after the other");
  const { failed } = client(t, `tcp://127.0.0.2:${port}`);
  assert.equal(await failed(), "ETIMEDOUT: no connection within 1000 ms");
});

test("address that refuses: the next one is tried at once", {
  skip: process.platform !== "linux",
}, async (t) => {
  const port = await broker(t, "127.0.0.6");
  slowLookup(t, 0, ["127.0.0.2", "127.0.0.3", "127.0.0.6"]);
  await client(t, `tcp://refusing.test:${port}`).opened;
});

test("client closed during the lookup or the attempt: no event, and no connection", async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  slowLookup(t, 50, ["127.0.0.1"]);
  const fails = () => assert.fail("an event after the close");
  const events = { opened: fails, message: fails, gone: fails, failed: fails };
  for (const host of ["closed.test", "127.0.0.1"])
    connect(`tcp://${host}:${port}`, BINDING, events).close(0);
  server.on("connection", fails);
  await client(t, `tcp://other.test:${await broker(t)}`).opened;
});

test("8305/RFC: the families take turns, beginning with that of the first address", async (t) => {
  slowLookup(t, 0, ["::1", "::2", "::3", "127.0.0.1", "127.0.0.2"]);
  const addresses = await addressesOf("families.test");
  const order = ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"];
  assert.deepEqual(
    addresses.map(({ address }) => address),
    order,
  );
});
