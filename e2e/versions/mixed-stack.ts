// A broker, workers and clients of two versions as local processes. Disposal ends all of them.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Client } from "../../clients/client.ts";
import { loadTransport } from "../../transport/load-transport.ts";
import { TRANSPORT_DEFAULT, type TransportName } from "../../transport/transport.ts";
import { type HistoryEvent, judge, type Verdict } from "../history.ts";
import { freeEndpoint, Program } from "../processes/program.ts";
import { until } from "../until.ts";
import { RecordedLoad, WAIT_MAX_MS } from "./recorded-load.ts";
import { NEW, VERSIONS, type Version } from "./release.ts";

/** The programs of workers, by service. Both versions have them. */
const WORKERS = {
  echo: "workers/echo.ts",
  math: "workers/math.ts",
  db: "workers/db.ts",
  slow: "e2e/processes/slow.ts",
  count: "e2e/processes/count.ts",
};

const WITHIN = { withinMs: WAIT_MAX_MS };

/** The arguments of the load client. On a busy machine, `--outstanding` keeps its requests few. */
const LOAD = [
  ...["--duration", "0", "--rate", "100", "--outstanding", "20"],
  ...["--timeout", String(WAIT_MAX_MS), "--every", "0.1", "--json"],
];

export type Service = keyof typeof WORKERS;

export class MixedStack implements AsyncDisposable {
  readonly endpoint: string;
  broker: Program;
  #transport: TransportName;
  #settings: Record<string, string>;
  #history: HistoryEvent[] = [];
  #clients: Client[] = [];
  #workers: Program[] = [];
  #programs: Program[] = [];
  #folder = mkdtempSync(join(tmpdir(), "majordomo-versions-"));

  /**
   * Starts a broker; resolves when it listens. `transport` is that of the programs of 0.2.0, unless
   * MDP_TRANSPORT sets the transport of both versions. Every program gets the settings.
   */
  static async start(
    broker: Version,
    transport: TransportName = TRANSPORT_DEFAULT,
    settings: Record<string, string> = {},
  ) {
    const stack = new MixedStack(broker, await freeEndpoint(), transport, settings);
    await stack.broker.logged("broker.listening", () => true, WITHIN);
    return stack;
  }

  private constructor(
    broker: Version,
    endpoint: string,
    transport: TransportName,
    settings: Record<string, string>,
  ) {
    this.endpoint = endpoint;
    this.#settings = settings;
    this.#transport = (process.env.MDP_TRANSPORT || transport) as TransportName;
    this.broker = this.program(broker, "broker/main.ts");
  }

  /** Starts a program of this version. `more` are settings of its own. */
  program(
    version: Version,
    file: string,
    args: string[] = [],
    more: Record<string, string> = {},
  ): Program {
    const settings = {
      ...(version === NEW && { MDP_TRANSPORT: this.#transport }),
      MDP_BIND: this.endpoint,
      MDP_BROKER: this.endpoint,
      MDP_DB_FILE: join(this.#folder, "documents.sqlite"),
      MDP_DELIVERIES_MAX: "100",
      ...this.#settings,
      ...more,
    };
    const program = new Program(join(version.folder, file), args, settings, version.runner);
    this.#programs.push(program);
    return program;
  }

  /** Starts one worker per service at once; resolves when the broker has registered all. */
  async workers(
    version: Version,
    services: Service[],
    settings: Record<string, string> = {},
  ): Promise<Program[]> {
    const registered = this.#registered + services.length;
    const workers = services.map((service) =>
      this.program(version, WORKERS[service], [], settings),
    );
    this.#workers.push(...workers);
    await this.#registeredAtLeast(registered);
    return workers;
  }

  /** Starts one worker; resolves when the broker has registered it. */
  async worker(
    version: Version,
    service: Service,
    settings: Record<string, string> = {},
  ): Promise<Program> {
    const [worker = assert.fail()] = await this.workers(version, [service], settings);
    return worker;
  }

  /**
   * Ends the broker with this signal and starts one of another version at the same address. Resolves
   * when all workers have registered there.
   */
  async replaceBroker(version: Version, signal: "SIGTERM" | "SIGKILL") {
    this.broker.signal(signal);
    const ended = await this.broker.ended;
    if (signal === "SIGTERM") assert.deepEqual(ended, { code: 0, signal: null });
    this.broker = this.program(version, "broker/main.ts");
    const workers = this.#workers.filter((worker) => worker.running).length;
    await this.#registeredAtLeast(workers);
  }

  /** A client in this process, with so many tries that it outlasts every broker outage. */
  async newClient(version: Version): Promise<Client> {
    const file = pathToFileURL(join(version.folder, "clients/client.ts"));
    const { Client: Kind }: { Client: typeof Client } = await import(file.href);
    const transport = await loadTransport(this.#transport); // 0.1.0 reads MDP_TRANSPORT itself.
    const client = new Kind(this.endpoint, { transport, silenceMs: 1000, tries: 100 });
    this.#clients.push(client);
    return client;
  }

  /** A client of each version sends requests to `slow` until the load stops. */
  async recordedLoad(): Promise<RecordedLoad> {
    const clients = await Promise.all(VERSIONS.map((version) => this.newClient(version)));
    return new RecordedLoad(clients, this.#history);
  }

  /** Starts a load client; resolves when it has its first replies. */
  async loadProgram(version: Version, mix: string): Promise<Program> {
    const load = this.program(version, "clients/load.ts", [...LOAD, "--mix", mix]);
    await answeredMore(load);
    return load;
  }

  /**
   * Stops all workers, so that their logs are complete, and judges the recorded load, which must have
   * stopped. Executions count by request, not by request id: each broker gives a request another id.
   */
  async judge(expectations: { executionsMax?: number }): Promise<Verdict> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    const begun = this.#workers.flatMap((worker) =>
      worker.all("slow.began").map(({ request }): HistoryEvent => {
        const name = String(request);
        return { event: "began", worker: worker.name, id: name, request: name };
      }),
    );
    return judge([...this.#history, ...begun], { allBegan: true, ...expectations });
  }

  async [Symbol.asyncDispose]() {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#programs.map((program) => program.destroy()));
    rmSync(this.#folder, { recursive: true });
  }

  async #registeredAtLeast(count: number) {
    await this.broker.logged("worker.registered", () => this.#registered >= count, WITHIN);
  }

  get #registered(): number {
    return this.broker.all("worker.registered").length;
  }
}

/** Resolves when a load client has at least 20 replies more than now. */
export async function answeredMore(load: Program) {
  const answered = () => {
    const lastCount = load.errors.match(/answered [\d,]+/g)?.at(-1) ?? "0";
    return Number(lastCount.replace(/\D/g, ""));
  };
  const before = answered();
  await until("replies to the load client", () => answered() >= before + 20, WAIT_MAX_MS);
}

/** Stops a load client with SIGTERM; asserts that each of its requests has one correct reply. */
export async function assertNoneLost(load: Program) {
  const { code } = await load.stop();
  const { sent, answered, lost, duplicated, wrong } = JSON.parse(load.output).total;
  assert.deepEqual(
    { code, answered, lost, duplicated, wrong },
    { code: 0, answered: sent, lost: 0, duplicated: 0, wrong: 0 },
    load.output,
  );
}
