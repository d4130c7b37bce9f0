// The broker that is put to the test: one of ours, or whichever listens at MDP_BROKER.

import assert from "node:assert/strict";
import { beforeEach } from "node:test";
import { TRANSPORT_DEFAULT } from "../../transport/transport.ts";
import { freeEndpoint, Program } from "../processes/program.ts";
import { until } from "../until.ts";
import { Wire } from "./tcp.ts";
import { BYTES, type Dialect, Peer, someone } from "./wire.ts";

export class Subject {
  readonly endpoint: string;
  readonly intervalMs: number;
  readonly liveness: number;
  #program: Program | null; // Null: it is not ours to start.

  /** `intervalMs` is our broker's. A foreign one says its own, if it is not what is usual. */
  static async start(intervalMs = 2500, settings: Record<string, string> = {}): Promise<Subject> {
    const { MDP_BROKER, MDP_HEARTBEAT_INTERVAL_MS, MDP_HEARTBEAT_LIVENESS } = process.env;
    const liveness = Number(MDP_HEARTBEAT_LIVENESS ?? 3);
    const subject = MDP_BROKER
      ? new Subject(MDP_BROKER, Number(MDP_HEARTBEAT_INTERVAL_MS ?? 2500), liveness, null)
      : await Subject.#startOurs(intervalMs, liveness, settings);
    // No case waits for a broker that has ended in an earlier one.
    beforeEach(async () => (await Wire.to(subject.endpoint))[Symbol.dispose]());
    return subject;
  }

  static async #startOurs(
    intervalMs: number,
    liveness: number,
    settings: Record<string, string>,
  ): Promise<Subject> {
    const endpoint = await freeEndpoint();
    const program = new Program("broker/main.ts", [], {
      ...settings,
      MDP_BIND: endpoint,
      MDP_HEARTBEAT_INTERVAL_MS: String(intervalMs),
      MDP_HEARTBEAT_LIVENESS: String(liveness),
    });
    await program.logged("broker.listening");
    return new Subject(endpoint, intervalMs, liveness, program);
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

  /** Our own broker, with the settings that the case is about. */
  get ours(): boolean {
    return this.#program !== null;
  }

  /** Ours does on libzmq; its own ZMTP begins with 3.0. */
  get speaksOldZmtp(): boolean {
    return !this.ours || (process.env.MDP_TRANSPORT || TRANSPORT_DEFAULT) === "libzmq";
  }

  get leaseMs(): number {
    return this.intervalMs * this.liveness;
  }

  client(dialect: Dialect = BYTES): Peer {
    return new Peer(this.endpoint, dialect);
  }

  /** A worker that has said READY, and may have been given a request at once. */
  async newcomer(service: string, dialect: Dialect = BYTES, ...credit: string[]): Promise<Peer> {
    const worker = new Peer(this.endpoint, dialect);
    await worker.commands("READY", service, ...credit);
    return worker;
  }

  /** A worker that is registered: READY is not answered, but the question after it is. */
  async worker(service: string, dialect: Dialect = BYTES, ...credit: string[]): Promise<Peer> {
    const worker = await this.newcomer(service, dialect, ...credit);
    await worker.learns(service, "200");
    return worker;
  }

  /** Waits until mmi.service says so of this service. */
  async learns(service: string, code: "200" | "404") {
    using asker = this.client();
    await until(`mmi.service to say ${code} of ${service}`, async () => {
      await asker.says("", "MDPC01", "mmi.service", service);
      return (await asker.next())[3] === code;
    });
  }

  /** Has a worker send HEARTBEAT often enough, until what is returned is disposed of. */
  beating(worker: Peer): Disposable {
    const timer = setInterval(() => void worker.commands("HEARTBEAT"), this.intervalMs / 3);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** The broker knows no such service any more: nobody serves it and nobody asks for it. */
  async forgets(service: string) {
    using asker = this.client();
    await until(`the broker to forget ${service}`, async () => {
      await asker.says("", "MDPC01", "mmi.services", "");
      const services: { service: string }[] = JSON.parse((await asker.next())[4] ?? "");
      return !services.some((known) => known.service === service);
    });
  }

  /** A newcomer is given what this client asked, and the client has its answer. */
  async givesToAnother(client: Peer, service: string, body: string) {
    using worker = await this.newcomer(service, client.dialect);
    await worker.replies(await worker.isAsked(body), "done");
    await client.hears(...client.dialect.answer, service, "done");
  }

  /** A new client is served by a new worker. */
  async serves() {
    const service = someone();
    using worker = await this.worker(service);
    using client = this.client();
    await echo(client, worker, service);
  }

  /** The same process still runs, has complained of nothing, serves, and has nothing left over. */
  async endsWell() {
    await this.serves();
    if (!this.#program) return;
    using asker = this.client();
    await until("the broker to have nobody's worker and nobody's request", async () => {
      await asker.says("", "MDPC01", "mmi.stats", "");
      const stats = JSON.parse((await asker.next())[4] ?? "");
      const { received, answered, refused, expired, quarantined, clientGone } = stats;
      const { queued, inFlight, workers } = stats;
      const ended = answered + refused + expired + quarantined + clientGone;
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

/** A client and a worker who have nothing to do with what is tried, and should not notice it. */
export class Bystanders implements Disposable {
  #service: string;
  #client: Peer;
  #worker: Peer;
  #beating: Disposable;

  static async of(broker: Subject): Promise<Bystanders> {
    const service = someone("bystander");
    return new Bystanders(service, broker.client(), await broker.worker(service), broker);
  }

  private constructor(service: string, client: Peer, worker: Peer, broker: Subject) {
    this.#service = service;
    this.#client = client;
    this.#worker = worker;
    this.#beating = broker.beating(worker);
  }

  /** They have heard nothing but what they say to each other. */
  async undisturbed() {
    await echo(this.#client, this.#worker, this.#service);
  }

  [Symbol.dispose]() {
    this.#beating[Symbol.dispose]();
    this.#client[Symbol.dispose]();
    this.#worker[Symbol.dispose]();
  }
}

/** One round trip: asked, given to this worker, answered. */
export async function echo(client: Peer, worker: Peer, service: string) {
  const said = someone("said");
  await client.says(...client.dialect.ask, service, said);
  const address = await worker.isAsked(said);
  await worker.replies(address, said, "!");
  await client.hears(...client.dialect.answer, service, said, "!");
}
