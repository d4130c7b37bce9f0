// Our peers with a broker that knows 7/MDP and nothing of ours: it answers mmi. names or does not,
// drops what it does not know or ends with it, and has its workers' commands in bytes or in words.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client, type ClientOptions } from "../../clients/client.ts";
import { freeEndpoint, type Program } from "../processes/program.ts";
import { transport } from "../transport.ts";
import { asArguments, asHex, type Body, came, Peers, times } from "./peers.ts";

const SLOW = "e2e/processes/slow.ts";
const SERVICES = ["workers/echo.ts", SLOW, SLOW];
const FOREIGN = ["python", "c"];
const BODY: Body = ["hello", "", Buffer.from([0, 255])];
const INTERVAL_MS = "300";

for (const options of [[], ["--mmi"], ["--strict"], ["--mmi", "--strict"], ["--mmi", "--words"]]) {
  describe(`with a plain broker ${options.join(" ")}`, () => {
    let plain: PlainBroker;
    let slow: Program[];

    before(async () => {
      plain = await PlainBroker.start(options, { silenceMs: 1000, tries: 20 });
      const settings = { MDP_HEARTBEAT_INTERVAL_MS: INTERVAL_MS };
      slow = SERVICES.map((file) => plain.ours(file, [], settings)).slice(-2);
      const dialect = options.includes("--words") ? "words" : "bytes";
      plain.python("worker", "python", "--interval", INTERVAL_MS, "--dialect", dialect);
      plain.c("worker", "c", dialect, INTERVAL_MS, "3");
      await times(plain.broker, "registered", SERVICES.length + FOREIGN.length);
    });

    after(() => plain[Symbol.asyncDispose]());

    test("our Client asks our worker", async () => {
      const bodies: Body[] = [["one"], BODY, [""]];
      for (const body of bodies) {
        assert.deepEqual(asHex(await plain.client.request("echo", body)), asHex(body));
      }
      const asked = await plain.requests("echo", bodies.length);
      assert.equal(asked.length, bodies.length + plain.client.retries);
    });

    test("several requests at once go one after the other", async () => {
      const before = (await plain.requests("echo", 1)).length;
      const bodies = Array.from({ length: 20 }, (_, number) => `body ${number}`);
      const replies = await Promise.all(bodies.map((body) => plain.client.request("echo", body)));
      assert.deepEqual(replies.map(String), bodies);
      const asked = await plain.requests("echo", before + bodies.length);
      assert.deepEqual(new Set(asked.map(({ outstanding }) => outstanding)), new Set([1]));
      assert.deepEqual(plain.client.unmatchedReplies, { duplicate: 0, late: 0 });
    });

    test("our Client asks workers in Python and C", async () => {
      for (const service of FOREIGN) {
        assert.deepEqual(asHex(await plain.client.request(service, BODY)), asHex(BODY));
      }
    });

    test("clients in Python and C ask our worker, which takes what it is given", async () => {
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

    test("one request from the shell", async () => {
      const call = (...args: string[]) => plain.ours("clients/call.ts", args);
      const served = call("echo", "hello", "world");
      const nobody = call("--timeout", "700", "nobody", "hello");
      assert.deepEqual(await served.ended, { code: 0, signal: null }, served.errors);
      assert.equal(served.output, "hello\nworld\n");
      // That there is no worker is known where mmi.service may be asked.
      const code = options.includes("--mmi") ? 4 : 3;
      assert.deepEqual(await nobody.ended, { code, signal: null }, nobody.errors);
    });

    test("a service that nobody serves: timed out, by the time that was given", async () => {
      const client = new Client(plain.endpoint, { transport, silenceMs: 300 });
      const asked = performance.now();
      await assert.rejects(client.request("nobody", "hello", { timeoutMs: 700 }), {
        name: "TimedOut",
        message: "no reply from nobody within 700 ms",
      });
      const took = performance.now() - asked;
      client.close();
      assert.ok(took >= 700 && took < 5000, `it took ${took} ms`);
    });

    test("a worker killed in mid-request takes it along, and another is asked again", async () => {
      const reply = plain.client.request("slow", ["300", "said"]);
      const victim = await Promise.any(
        slow.map((worker) => worker.logged("slow.began").then(() => worker)),
      );
      victim.signal("SIGKILL");
      await plain.broker.logged("removed", ({ busy }) => busy === true);
      const other = slow.find((worker) => worker !== victim);
      assert.deepEqual((await reply).map(String), [String(other?.pid), "said"]);
      assert.ok(plain.client.retries > 0);
    });

    test("the broker ended for nothing that was said to it", () => {
      assert.ok(plain.broker.running, plain.broker.errors);
    });

    test("a broker killed and started again: its workers come back, it is asked again", async () => {
      const [worker] = slow.filter(({ running }) => running);
      assert.ok(worker);
      const begun = () => worker.log.filter(({ event }) => event === "slow.began").length;
      const reply = plain.client.request("slow", ["300", "again"]);
      await times(worker, "slow.began", begun() + 1);
      await plain.restartBroker();
      await times(plain.broker, "registered", SERVICES.length + FOREIGN.length - 1);
      assert.deepEqual((await reply).map(String), [String(worker.pid), "again"]);
    });
  });
}

test("db takes no client's address for the id of a request, however long it is", async (t) => {
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

  /** What the broker was asked of this service, once that is so much. */
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
