// A network of its own with a broker and workers, a container each, and clients of it here. All gone
// when the test is over.

import { Network, type StartedNetwork } from "testcontainers";
import type { Counts } from "../../broker/vocabulary.ts";
import { Client, type ClientOptions } from "../../clients/client.ts";
import { TRANSPORTS } from "../../transport/transport.ts";
import { freeEndpoint } from "../endpoint.ts";
import { type HistoryEvent, judge, type Verdict } from "../history.ts";
import type { LogLine } from "../process-log.ts";
import { transport } from "../transport.ts";
import { Asker } from "./asker.ts";
import { Container, type ContainerOptions } from "./container.ts";
import { RUN, sweepAfterwards } from "./engine.ts";
import { Load } from "./load.ts";

export const SLOW = "e2e/processes/slow.ts";

/** As many as were asked for. */
type Workers<Count extends number> = Count extends 1
  ? [Container]
  : Count extends 2
    ? [Container, Container]
    : [Container, Container, Container, ...Container[]];

type Settings = Record<string, string>;

export class Stack implements AsyncDisposable {
  readonly network: StartedNetwork;
  readonly endpoint: string; // Where the broker is found from here.
  readonly health: string; // Where its health pages are.
  readonly workers: Container[] = [];
  readonly history: HistoryEvent[] = [];
  #broker: Container | undefined;
  #settings: Settings;
  #containers: Container[] = [];
  #clients: Client[] = [];
  #observer: Client | undefined;
  #started = 0;

  /** A broker that listens. The settings are every program's environment. */
  static async start(settings: Settings = {}): Promise<Stack> {
    sweepAfterwards();
    const network = await new Network({ nextUuid: () => `${RUN}-${nth++}` }).start();
    const [endpoint, health] = [await freeEndpoint(), await freeEndpoint()];
    const stack = new Stack(network, endpoint, health.replace("tcp:", "http:"), settings);
    await stack.startBroker();
    return stack;
  }

  private constructor(
    network: StartedNetwork,
    endpoint: string,
    health: string,
    settings: Settings,
  ) {
    this.network = network;
    this.endpoint = endpoint;
    this.health = health;
    this.#settings = { MDP_TRANSPORT: process.env.MDP_TRANSPORT || nextTransport(), ...settings };
  }

  get broker(): Container {
    if (!this.#broker) throw new Error("the broker was not started");
    return this.#broker;
  }

  /** The broker, or another in its place. */
  async startBroker(): Promise<Container> {
    const published = [this.endpoint, this.health].map((url) => Number(url.split(":").at(-1)));
    const ports = [5555, 9464].map((container, at) => ({ container, host: published[at] ?? 0 }));
    const settings = { MDP_BIND: "tcp://*:5555", MDP_HEALTH_PORT: "9464" };
    const name = this.#name("broker");
    const options = { name, aliases: ["broker"], settings, ports };
    this.#broker = await this.container("broker/main.ts", options);
    await this.broker.logged("broker.listening");
    return this.broker;
  }

  /** A worker that the broker has registered. */
  async worker(program = SLOW, options: Partial<ContainerOptions> = {}): Promise<Container> {
    const [worker] = await this.workersOf(program, 1, options);
    return worker;
  }

  /** So many workers of a service, all of them registered. */
  async workersOf<Count extends number>(
    program: string,
    count: Count,
    options: Partial<ContainerOptions> = {},
  ): Promise<Workers<Count>> {
    const registered = this.registered + count;
    const service = program.split("/").at(-1)?.replace(".ts", "") ?? program;
    const started = await Promise.all(
      Array.from({ length: count }, () =>
        this.container(program, {
          name: this.#name(service),
          ...options,
          settings: { MDP_BROKER: "tcp://broker:5555", ...options.settings },
        }),
      ),
    );
    this.workers.push(...started);
    await this.broker.logged("worker.registered", () => this.registered >= registered);
    return started as Workers<Count>;
  }

  /** The worker that is at a request, and the others. */
  async atWork<Others extends Container[]>([...workers]: [Container, ...Others]) {
    const begun = workers.map(async (worker) => {
      await worker.logged("slow.began", ({ id }) => !isOver(worker, id));
      return worker;
    });
    const victim = await Promise.any(begun);
    return [victim, ...workers.filter((worker) => worker !== victim)] as [Container, ...Others];
  }

  async container(command: string, options: ContainerOptions): Promise<Container> {
    const settings = { ...this.#settings, ...options.settings };
    const container = await Container.start(command, this.network, { ...options, settings });
    this.#containers.push(container);
    return container;
  }

  /** A client of the broker, here, whose history is judged. */
  asker(options: ClientOptions = {}): Asker {
    const asker = new Asker(`c${this.#clients.length}`, this.endpoint, this.history, options);
    this.#clients.push(asker.client);
    return asker;
  }

  /** Any client of the broker. */
  client(): Client {
    const client = new Client(this.endpoint, { transport, silenceMs: 1000, tries: 100 });
    this.#clients.push(client);
    return client;
  }

  /** So many clients that keep asking until they are told to stop. */
  load(clients = 2): Load {
    return new Load(Array.from({ length: clients }, () => this.asker()));
  }

  /** How many registrations the broker has logged. */
  get registered(): number {
    return this.broker.all("worker.registered").length;
  }

  /** The broker's own account. */
  async counts(): Promise<Counts> {
    this.#observer ??= this.client();
    const [, json] = await this.#observer.request("mmi.stats", "");
    return JSON.parse(String(json));
  }

  /** What the clients and the workers say happened. */
  judge(): Verdict {
    return judge([...this.history, ...this.workers.flatMap(executions)]);
  }

  /** The requests that were begun more than once, whatever brokers called them. */
  get begunAgain(): string[] {
    const begun = this.workers.flatMap((worker) => worker.all("slow.began"));
    const times = Map.groupBy(begun, ({ request }) => String(request));
    return [...times].filter(([, lines]) => lines.length > 1).map(([request]) => request);
  }

  async [Symbol.asyncDispose]() {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#containers.map((container) => container.remove()));
    await this.network.stop();
  }

  #name(service: string): string {
    this.#started += 1;
    return `${service}-${this.#started}`;
  }
}

/** So that networks of one run have names of their own. */
let nth = 1;

/** Of the programs of one stack; the clients in the tests have that of the tests' process. */
const nextTransport = () => TRANSPORTS[nth % TRANSPORTS.length] as string;

const isOver = (worker: Container, id: unknown) =>
  worker.log.some((line) => line.id === id && OVER.has(line.event ?? ""));

const OVER = new Set(["slow.finished", "slow.aborted"]);

/** What a worker did, by its log. */
function executions({ log, name: worker }: Container): HistoryEvent[] {
  return log.flatMap(({ event, id, request }: LogLine): HistoryEvent[] => {
    if (event === "slow.began")
      return [{ event: "began", worker, id: String(id), request: String(request) }];
    return event === "slow.finished" ? [{ event: "finished", worker, id: String(id) }] : [];
  });
}
