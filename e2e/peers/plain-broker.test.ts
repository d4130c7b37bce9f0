// Our client and workers with a broker that implements 7/MDP only: with 8/MMI or without, tolerant or
// strict, with the commands of its workers in bytes or in the text dialect.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client, type ClientOptions } from "../../clients/client.ts";
import { freeEndpoint, type Program } from "../processes/program.ts";
import { slowdown } from "../slowdown.ts";
import { transport } from "../transport.ts";
import { asArguments, asHex, type Body, came, Peers, times } from "./peers.ts";

const SLOW = "e2e/processes/slow.ts";
const SERVICES = ["workers/echo.ts", SLOW, SLOW];
const FOREIGN = ["python", "c"];
const BODY: Body = ["hello", "", Buffer.from([0, 255])];
const scale = await slowdown();
const INTERVAL_MS = String(Math.round(300 * scale));
const SILENCE_MS = 1000 * scale;
/** Longer than a fault takes to strike, shorter than the silence after which the client retries. */
const WORK_MS = String(Math.round(700 * scale));

for (const options of [[], ["--mmi"], ["--strict"], ["--mmi", "--strict"], ["--mmi", "--text"]]) {
  describe(`plain broker ${options.join(" ")}:`, () => {
    let plain: PlainBroker;
    let slow: Program[];

    before(async () => {
      plain = await PlainBroker.start(options, { silenceMs: SILENCE_MS, tries: 20 });
      const settings = { MDP_HEARTBEAT_INTERVAL_MS: INTERVAL_MS };
      slow = SERVICES.map((file) => plain.ours(file, [], settings)).slice(-2);
      const dialect = options.includes("--text") ? "text" : "bytes";
      plain.python("worker", "python", "--interval", INTERVAL_MS, "--dialect", dialect);
      plain.c("worker", "c", dialect, INTERVAL_MS, "3");
      await times(plain.broker, "registered", SERVICES.length + FOREIGN.length);
    });

    after(() => plain[Symbol.asyncDispose]());

    test("our Client and our worker: replies", async () => {
      const bodies: Body[] = [["one"], BODY, [""]];
      for (const body of bodies) {
        assert.deepEqual(asHex(await plain.client.request("echo", body)), asHex(body));
      }
      const asked = await plain.requests("echo", bodies.length);
      assert.equal(asked.length, bodies.length + plain.client.retries);
    });

    test("twenty requests at once: one outstanding at a time", async () => {
      const before = (await plain.requests("echo", 1)).length;
      const bodies = Array.from({ length: 20 }, (_, number) => `body ${number}`);
      const replies = await Promise.all(bodies.map((body) => plain.client.request("echo", body)));
      assert.deepEqual(replies.map(String), bodies);
      const asked = await plain.requests("echo", before + bodies.length);
      assert.deepEqual(new Set(asked.map(({ outstanding }) => outstanding)), new Set([1]));
      assert.deepEqual(plain.client.unmatchedReplies, { duplicate: 0, late: 0 });
    });

    test("our Client and workers in Python and C: replies", async () => {
      for (const service of FOREIGN) {
        assert.deepEqual(asHex(await plain.client.request(service, BODY)), asHex(BODY));
      }
    });

    test("clients in Python and C and our worker: replies", async () => {
      const requests = asArguments([BODY, BODY]);
      const clients = [
        plain.python("client", "echo", ...requests, "--req"),
        plain.c("client", "echo", "dealer", ...requests),
      ];
      for (const client of clients) {
        assert.deepEqual(await client.ended, { code: 0, signal: null }, client.errors);
        assert.deepEqual(came(client, "reply"), [asHex(BODY), asHex(BODY)]);
      }
    });

    test("call from the shell: the reply, or an exit code for the missing worker", async () => {
      const call = (...args: string[]) => plain.ours("clients/call.ts", args);
      const served = call("echo", "hello", "world");
      const nobody = call("--timeout", "700", "nobody", "hello");
      assert.deepEqual(await served.ended, { code: 0, signal: null }, served.errors);
      assert.equal(served.output, "hello\nworld\n");
      // Only mmi.service reveals that no worker is registered.
      const code = options.includes("--mmi") ? 4 : 3;
      assert.deepEqual(await nobody.ended, { code, signal: null }, nobody.errors);
    });

    test("service without a worker: TimedOut after the timeout", async () => {
      const client = new Client(plain.endpoint, { transport, silenceMs: 300 });
      const asked = performance.now();
      await assert.rejects(client.request("nobody", "hello", { timeoutMs: 700 }), {
        name: "TimedOut",
        message: "no reply from nobody within 700 ms",
      });
      const took = performance.now() - asked;
      client.close();
      assert.ok(took >= 700 && took < 5000 * (await slowdown()), `it took ${took} ms`);
    });

    test("worker killed in mid-request: the client retries, another worker replies", async () => {
      const reply = plain.client.request("slow", [WORK_MS, "first"]);
      const victim = await Promise.any(
        slow.map((worker) => worker.logged("slow.began").then(() => worker)),
      );
      victim.signal("SIGKILL");
      await plain.broker.logged("removed", ({ busy }) => busy === true);
      const other = slow.find((worker) => worker !== victim) ?? assert.fail();
      assert.deepEqual((await reply).map(String), [String(other.pid), "first"]);
      assert.ok(plain.client.retries > 0);
    });

    test("after all these messages: the broker still runs", () => {
      assert.ok(plain.broker.running, plain.broker.errors);
    });

    test("broker killed and restarted: workers register again, the client retries", async () => {
      const [worker] = slow.filter(({ running }) => running);
      assert.ok(worker);
      const before = worker.all("slow.began").length;
      const reply = plain.client.request("slow", [WORK_MS, "again"]);
      await times(worker, "slow.began", before + 1);
      await plain.restartBroker();
      await times(plain.broker, "registered", SERVICES.length + FOREIGN.length - 1);
      assert.deepEqual((await reply).map(String), [String(worker.pid), "again"]);
    });
  });
}

test("client address of 16 bytes in REQUEST: db does not use it as a request id", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "plain-broker-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await using plain = await PlainBroker.start([], {});
  const file = { MDP_DB_FILE: join(folder, "documents.sqlite") };
  plain.ours("workers/db.ts", [], { MDP_HEARTBEAT_INTERVAL_MS: INTERVAL_MS, ...file });
  await times(plain.broker, "registered", 1);
  const increment = asArguments([['{"command":"increment","key":"counter"}']]);
  const address = ["--routing-id", "sixteen letters!"];
  const client = plain.python("client", "db", ...increment, "--times", "3", ...address);
  assert.deepEqual(await client.ended, { code: 0, signal: null }, client.errors);
  const replies = [1, 2, 3].map((value) => [
    JSON.stringify({ key: "counter", value, version: value }),
  ]);
  assert.deepEqual(came(client, "reply"), replies.map(asHex));
});

class PlainBroker extends Peers {
  broker: Program;
  readonly client: Client;
  #options: string[];

  static async start(options: string[], client: ClientOptions) {
    const plain = new PlainBroker(await freeEndpoint(), options, client);
    await plain.broker.logged("ready");
    return plain;
  }

  private constructor(endpoint: string, options: string[], client: ClientOptions) {
    super(endpoint);
    this.#options = ["--interval", INTERVAL_MS, ...options];
    this.broker = this.python("plain_broker", ...this.#options);
    this.client = new Client(endpoint, { transport, ...client });
  }

  async restartBroker() {
    await this.broker.destroy();
    this.broker = this.python("plain_broker", ...this.#options);
    await this.broker.logged("ready");
  }

  /** The requests that the broker has received for a service, once there are so many. */
  async requests(service: string, count: number) {
    const asked = () =>
      this.broker.log.filter((line) => line.event === "request" && line.service === service);
    await this.broker.logged("request", () => asked().length >= count);
    return asked();
  }

  override async [Symbol.asyncDispose]() {
    this.client.close();
    await super[Symbol.asyncDispose]();
  }
}
