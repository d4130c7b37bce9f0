// A stack for one test: a network with a broker and workers in a container each, and clients in the
// test process. Disposal removes all of it.

import { Network, type StartedNetwork } from "testcontainers";
import type { Counts } from "../../broker/vocabulary.ts";
import { Client, type ClientOptions } from "../../clients/client.ts";
import { TRANSPORTS } from "../../transport/transport.ts";
import { freeEndpoint } from "../endpoint.ts";
import { type HistoryEvent, judge, type Verdict } from "../history.ts";
import type { LogLine } from "../process-log.ts";
import { transport } from "../transport.ts";
import { BackgroundLoad } from "./background-load.ts";
import { Container, type ContainerOptions } from "./container.ts";
import { RUN, sweepAfterwards } from "./engine.ts";
import { RecordingClient } from "./recording-client.ts";

/** The program of the service `slow`: its requests take a given time, and it logs executions. */
export const SLOW = "e2e/processes/slow.ts";

/** A tuple of `Count` workers; `Count` is 1, 2, or more. */
type Workers<Count extends number> = Count extends 1
  ? [Container]
  : Count extends 2
    ? [Container, Container]
    : [Container, Container, Container, ...Container[]];

type Settings = Record<string, string>;

export class Stack implements AsyncDisposable {
  readonly network: StartedNetwork;
  /** The broker's endpoint on this machine. */
  readonly endpoint: string;
  /** The URL of the broker's health pages on this machine. */
  readonly healthUrl: string;
  readonly workers: Container[] = [];
  readonly history: HistoryEvent[] = [];
  #broker: Container | undefined;
  #settings: Settings;
  #containers: Container[] = [];
  #clients: Client[] = [];
  #statsClient: Client | undefined;
  #named = 0;

  /** Starts a broker. The settings are part of every program's environment. */
  static async start(settings: Settings = {}): Promise<Stack> {
    sweepAfterwards();
    const network = await new Network({ nextUuid: () => `${RUN}-${networks++}` }).start();
    const [endpoint, health] = [await freeEndpoint(), await freeEndpoint()];
    const stack = new Stack(network, endpoint, health.replace("tcp:", "http:"), settings);
    await stack.startBroker();
    return stack;
  }

  private constructor(
    network: StartedNetwork,
    endpoint: string,
    healthUrl: string,
    settings: Settings,
  ) {
    this.network = network;
    this.endpoint = endpoint;
    this.healthUrl = healthUrl;
    this.#settings = { MDP_TRANSPORT: process.env.MDP_TRANSPORT || nextTransport(), ...settings };
  }

  get broker(): Container {
    if (!this.#broker) throw new Error("the stack has no broker yet");
    return this.#broker;
  }

  /** Starts the broker, or a new one in place of a removed one. */
  async startBroker(): Promise<Container> {
    const published = [this.endpoint, this.healthUrl].map((url) => Number(url.split(":").at(-1)));
    const ports = [5555, 9464].map((container, at) => ({ container, host: published[at] ?? 0 }));
    const settings = {
      MDP_BIND: "tcp://*:5555",
      MDP_HEALTH_HOST: "0.0.0.0",
      MDP_HEALTH_PORT: "9464",
    };
    const options = { name: this.#name("broker"), aliases: ["broker"], settings, ports };
    this.#broker = await this.startContainer("broker/main.ts", options);
    await this.broker.logged("broker.listening");
    return this.broker;
  }

  /** Starts one worker; resolves when the broker has registered it. */
  async startWorker(program = SLOW, options: Partial<ContainerOptions> = {}): Promise<Container> {
    const [worker] = await this.startWorkers(program, 1, options);
    return worker;
  }

  /** Starts workers of one service; resolves when the broker has registered all of them. */
  async startWorkers<Count extends number>(
    program: string,
    count: Count,
    options: Partial<ContainerOptions> = {},
  ): Promise<Workers<Count>> {
    const registrations = this.registrations + count;
    const service = program.split("/").at(-1)?.replace(".ts", "") ?? program;
    const started = await Promise.all(
      Array.from({ length: count }, () =>
        this.startContainer(program, {
          name: this.#name(service),
          ...options,
          settings: { MDP_BROKER: "tcp://broker:5555", ...options.settings },
        }),
      ),
    );
    this.workers.push(...started);
    await this.broker.logged("worker.registered", () => this.registrations >= registrations);
    return started as Workers<Count>;
  }

  /** Waits until one of these `slow` workers executes a request; returns it first, then the others. */
  async firstBusy<Others extends Container[]>([...workers]: [Container, ...Others]) {
    const begun = workers.map(async (worker) => {
      await worker.logged("slow.began", ({ id }) => !hasEnded(worker, id));
      return worker;
    });
    const busy = await Promise.any(begun);
    return [busy, ...workers.filter((worker) => worker !== busy)] as [Container, ...Others];
  }

  async startContainer(command: string, options: ContainerOptions): Promise<Container> {
    const settings = { ...this.#settings, ...options.settings };
    const container = await Container.start(command, this.network, { ...options, settings });
    this.#containers.push(container);
    return container;
  }

  /** A client in this process whose requests are in the history. */
  recordingClient(options: ClientOptions = {}): RecordingClient {
    const name = `c${this.#clients.length}`;
    const recording = new RecordingClient(name, this.endpoint, this.history, options);
    this.#clients.push(recording.client);
    return recording;
  }

  /** A client in this process whose requests are not in the history. */
  client(): Client {
    const client = new Client(this.endpoint, { transport, silenceMs: 1000, tries: 100 });
    this.#clients.push(client);
    return client;
  }

  /** Starts this many recording clients that send requests until `stop`. */
  startLoad(clients = 2): BackgroundLoad {
    return new BackgroundLoad(Array.from({ length: clients }, () => this.recordingClient()));
  }

  /** The number of registrations in the broker's log. */
  get registrations(): number {
    return this.broker.all("worker.registered").length;
  }

  /** The broker's counts, from mmi.stats. */
  async counts(): Promise<Counts> {
    this.#statsClient ??= this.client();
    const [, json] = await this.#statsClient.request("mmi.stats", "");
    return JSON.parse(String(json));
  }

  /** Checks the recorded requests and the logged executions. */
  judge(): Verdict {
    return judge([...this.history, ...this.workers.flatMap(executions)]);
  }

  /** Requests with more than one execution, also under different ids of different brokers. */
  get executedTwice(): string[] {
    const begun = this.workers.flatMap((worker) => worker.all("slow.began"));
    const byRequest = Map.groupBy(begun, ({ request }) => String(request));
    return [...byRequest].filter(([, lines]) => lines.length > 1).map(([request]) => request);
  }

  async [Symbol.asyncDispose]() {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#containers.map((container) => container.remove()));
    await this.network.stop();
  }

  #name(service: string): string {
    this.#named += 1;
    return `${service}-${this.#named}`;
  }
}

/** The number of the next network; makes network names unique within a run. */
let networks = 1;

/** Stacks take turns with the transports. The clients use the transport of the test process. */
const nextTransport = () => TRANSPORTS[networks % TRANSPORTS.length] as string;

const hasEnded = (worker: Container, id: unknown) =>
  worker.log.some((line) => line.id === id && ENDS.has(line.event ?? ""));

const ENDS = new Set(["slow.finished", "slow.aborted"]);

/** The executions in a worker's log. */
function executions({ log, name: worker }: Container): HistoryEvent[] {
  return log.flatMap(({ event, id, request, time }: LogLine): HistoryEvent[] => {
    const at = Date.parse(String(time));
    if (event === "slow.began")
      return [{ event: "began", worker, id: String(id), request: String(request), at }];
    return event === "slow.finished" ? [{ event: "finished", worker, id: String(id), at }] : [];
  });
}
