// The broker under test: ours, started here, or the one that listens at MDP_BROKER.

import assert from "node:assert/strict";
import { beforeEach } from "node:test";
import { TRANSPORT_DEFAULT } from "../../transport/transport.ts";
import { freeEndpoint, Program } from "../processes/program.ts";
import { until } from "../until.ts";
import { type Dialect, RawPeer, uniqueName, V01 } from "./raw-peer.ts";
import { TcpConnection } from "./tcp-connection.ts";

export class BrokerUnderTest {
  readonly endpoint: string;
  readonly intervalMs: number;
  readonly liveness: number;
  #program: Program | null; // Null for the broker at MDP_BROKER.

  /** `intervalMs` and `settings` are for our broker. A foreign one has its own: see MDP_HEARTBEAT_…. */
  static async start(
    intervalMs = 2500,
    settings: Record<string, string> = {},
  ): Promise<BrokerUnderTest> {
    const { MDP_BROKER, MDP_HEARTBEAT_INTERVAL_MS, MDP_HEARTBEAT_LIVENESS } = process.env;
    const liveness = Number(MDP_HEARTBEAT_LIVENESS ?? 3);
    const subject = MDP_BROKER
      ? new BrokerUnderTest(MDP_BROKER, Number(MDP_HEARTBEAT_INTERVAL_MS ?? 2500), liveness, null)
      : await BrokerUnderTest.#startOurs(intervalMs, liveness, settings);
    // A test fails at once if the broker ended in an earlier one.
    beforeEach(async () => (await TcpConnection.to(subject.endpoint))[Symbol.dispose]());
    return subject;
  }

  static async #startOurs(
    intervalMs: number,
    liveness: number,
    settings: Record<string, string>,
  ): Promise<BrokerUnderTest> {
    const endpoint = await freeEndpoint();
    const program = new Program("broker/main.ts", [], {
      ...settings,
      MDP_BIND: endpoint,
      MDP_HEARTBEAT_INTERVAL_MS: String(intervalMs),
      MDP_HEARTBEAT_LIVENESS: String(liveness),
    });
    await program.logged("broker.listening");
    return new BrokerUnderTest(endpoint, intervalMs, liveness, program);
  }

  private constructor(
    endpoint: string,
    intervalMs: number,
    liveness: number,
    program: Program | null,
  ) {
    this.endpoint = endpoint;
    this.intervalMs = intervalMs;
    this.liveness = liveness;
    this.#program = program;
  }

  /** Is this our broker, with the settings that the test needs? */
  get ours(): boolean {
    return this.#program !== null;
  }

  /** Our broker serves ZMTP 1.0 on libzmq only. A foreign broker is expected to serve it. */
  get servesZmtp1(): boolean {
    return !this.ours || (process.env.MDP_TRANSPORT || TRANSPORT_DEFAULT) === "libzmq";
  }

  get leaseMs(): number {
    return this.intervalMs * this.liveness;
  }

  client(dialect: Dialect = V01): RawPeer {
    return new RawPeer(this.endpoint, dialect);
  }

  /** A worker that has sent READY. Its first message may be a REQUEST. */
  async newWorker(service: string, dialect: Dialect = V01, ...credit: string[]): Promise<RawPeer> {
    const worker = new RawPeer(this.endpoint, dialect);
    await worker.sendsCommand("READY", service, ...credit);
    return worker;
  }

  /** A worker that the broker has registered, as mmi.service shows. */
  async registeredWorker(
    service: string,
    dialect: Dialect = V01,
    ...credit: string[]
  ): Promise<RawPeer> {
    const worker = await this.newWorker(service, dialect, ...credit);
    await worker.findsService(service, "200");
    return worker;
  }

  /** Waits until mmi.service returns this code for a service. */
  async untilService(service: string, code: "200" | "404") {
    using client = this.client();
    await until(`mmi.service to return ${code} for ${service}`, async () => {
      await client.sends("", "MDPC01", "mmi.service", service);
      return (await client.next())[3] === code;
    });
  }

  /** Has a worker send HEARTBEAT often enough, until the result is disposed. */
  sendingHeartbeats(worker: RawPeer): Disposable {
    const timer = setInterval(() => void worker.sendsCommand("HEARTBEAT"), this.intervalMs / 3);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Waits until the broker has forgotten a service: it has no worker and no request. */
  async untilForgotten(service: string) {
    using client = this.client();
    await until(`the broker to forget ${service}`, async () => {
      await client.sends("", "MDPC01", "mmi.services", "");
      const services: { service: string }[] = JSON.parse((await client.next())[4] ?? "");
      return !services.some((known) => known.service === service);
    });
  }

  /** Asserts that a new worker gets this client's request, and the client its reply. */
  async redelivers(client: RawPeer, service: string, body: string) {
    using worker = await this.newWorker(service, client.dialect);
    await worker.sendsReply(await worker.receivesRequest(body), "done");
    await client.receives(...client.dialect.replyStart, service, "done");
  }

  /** Asserts that a new worker serves a new client. */
  async serves() {
    const service = uniqueName();
    using worker = await this.registeredWorker(service);
    using client = this.client();
    await echo(client, worker, service);
  }

  /** Asserts that the broker never ended, serves, logged no error and has nothing left over. */
  async endsClean() {
    await this.serves();
    if (!this.#program) return;
    using client = this.client();
    await until("the broker to have no worker and no request", async () => {
      await client.sends("", "MDPC01", "mmi.stats", "");
      const stats = JSON.parse((await client.next())[4] ?? "");
      const { received, answered, refused, expired, quarantined, cancelled, clientGone } = stats;
      const { queued, inFlight, workers } = stats;
      const ended = answered + refused + expired + quarantined + cancelled + clientGone;
      assert.equal(received, ended + queued + inFlight, JSON.stringify(stats));
      return queued === 0 && inFlight === 0 && workers === 0;
    });
    assert.ok(this.#program.running, "the broker has ended");
    assert.equal(this.#program.errors, "");
  }

  async stop() {
    await this.#program?.destroy();
  }
}

/** A client and a worker that do not take part in a test, and must not notice it. */
export class Bystanders implements Disposable {
  #service: string;
  #client: RawPeer;
  #worker: RawPeer;
  #beating: Disposable;

  static async of(broker: BrokerUnderTest): Promise<Bystanders> {
    const service = uniqueName("bystander");
    return new Bystanders(service, broker.client(), await broker.registeredWorker(service), broker);
  }

  private constructor(service: string, client: RawPeer, worker: RawPeer, broker: BrokerUnderTest) {
    this.#service = service;
    this.#client = client;
    this.#worker = worker;
    this.#beating = broker.sendingHeartbeats(worker);
  }

  /** Asserts that the two have received no message of anybody else. */
  async undisturbed() {
    await echo(this.#client, this.#worker, this.#service);
  }

  [Symbol.dispose]() {
    this.#beating[Symbol.dispose]();
    this.#client[Symbol.dispose]();
    this.#worker[Symbol.dispose]();
  }
}

/** One round trip: the client's request goes to this worker, and its reply comes back. */
export async function echo(client: RawPeer, worker: RawPeer, service: string) {
  const text = uniqueName("said");
  await client.sends(...client.dialect.requestStart, service, text);
  const address = await worker.receivesRequest(text);
  await worker.sendsReply(address, text, "!");
  await client.receives(...client.dialect.replyStart, service, text, "!");
}
