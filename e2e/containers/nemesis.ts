// What goes wrong, on purpose, and when.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { StartedNetwork } from "testcontainers";
import type { Container } from "./container.ts";
import { engine } from "./engine.ts";

const execute = promisify(execFile);

export type Kind =
  | "killed"
  | "terminated"
  | "restarted"
  | "frozen"
  | "paused"
  | "cut off"
  | "black-holed"
  | "losing packets"
  | "full disk"
  | "crashed";

/** Times are in ms since 1970. */
export type Fault = {
  kind: Kind;
  target: string;
  from: number; // When it was begun: nothing went wrong before.
  since: number; // When it was done: everything goes wrong that is to.
  to: number | null; // When it was healed.
};

export class Nemesis {
  readonly faults: Fault[] = [];
  #network: StartedNetwork;

  constructor(network: StartedNetwork) {
    this.#network = network;
  }

  /** SIGKILL: its connections break, and it says nothing. */
  kill(container: Container): Promise<Fault> {
    return this.#signal("killed", container, "SIGKILL");
  }

  /** What it did to itself is noted, too. */
  sawCrash({ name }: Container, at: number) {
    this.faults.push({ kind: "crashed", target: name, from: at, since: at, to: null });
  }

  /** SIGTERM: it is asked to finish. */
  terminate(container: Container): Promise<Fault> {
    return this.#signal("terminated", container, "SIGTERM");
  }

  /** Another life for what has ended. */
  async revive(container: Container) {
    await container.startAgain();
    this.#heal(container, ["killed", "terminated"]);
  }

  /** SIGTERM, and another life once it has ended; SIGKILL if that takes longer than `withinMs`. */
  async restart(container: Container, withinMs = 10_000): Promise<Fault> {
    const fault = await this.#strike("restarted", container, async () => {
      await (await container.handle()).restart({ t: withinMs / 1000 });
    });
    await container.followAgain();
    this.#heal(container, ["restarted"]);
    return fault;
  }

  /** SIGSTOP, until `thaw`: it stands still, and its connections stay. */
  freeze(container: Container): Promise<Fault> {
    return this.#signal("frozen", container, "SIGSTOP");
  }

  async thaw(container: Container) {
    await (await container.handle()).kill({ signal: "SIGCONT" });
    this.#heal(container, ["frozen"]);
  }

  /** The same by the kernel's freezer, which no process notices; until `unpause`. */
  pause(container: Container): Promise<Fault> {
    return this.#strike("paused", container, async () => (await container.handle()).pause());
  }

  async unpause(container: Container) {
    await (await container.handle()).unpause();
    this.#heal(container, ["paused"]);
  }

  /** Takes its network away, until `connect`. */
  async disconnect(container: Container): Promise<Fault> {
    const network = await this.#networkHandle();
    const Container = container.id;
    return this.#strike("cut off", container, () => network.disconnect({ Container, Force: true }));
  }

  async connect(container: Container) {
    const network = await this.#networkHandle();
    const EndpointConfig = { Aliases: [container.name, ...container.aliases] };
    await network.connect({ Container: container.id, EndpointConfig });
    this.#heal(container, ["cut off"]);
  }

  /** All packets to it and from it vanish, until `restorePackets`. */
  async blackHole(container: Container): Promise<Fault> {
    return this.#strike("black-holed", container, () => filter(container, [["-j", "DROP"]]));
  }

  /** This share of all packets to it and from it vanishes, until `restorePackets`. */
  async losePackets(container: Container, share: number): Promise<Fault> {
    const some = ["-m", "statistic", "--mode", "random", "--probability", String(share)];
    return this.#strike("losing packets", container, () =>
      filter(container, [[...some, "-j", "DROP"]]),
    );
  }

  async restorePackets(container: Container) {
    await filter(container, []);
    this.#heal(container, ["black-holed", "losing packets"]);
  }

  /** Takes what room there is on the disk of this file but so many KiB, until `makeRoom`. */
  fillDisk(container: Container, file: string, leftKiB: number): Promise<Fault> {
    const room = "$(df --output=avail --block-size=1K $(dirname $0) | tail -n 1)";
    const script = `fallocate --length $((${room} - ${leftKiB}))K $0`;
    return this.#strike("full disk", container, () => container.run("sh", "-c", script, file));
  }

  async makeRoom(container: Container, file: string) {
    await container.run("rm", file);
    this.#heal(container, ["full disk"]);
  }

  #signal(kind: Kind, container: Container, signal: NodeJS.Signals): Promise<Fault> {
    return this.#strike(kind, container, async () => (await container.handle()).kill({ signal }));
  }

  async #strike(kind: Kind, { name }: Container, strike: () => Promise<unknown>): Promise<Fault> {
    const fault: Fault = { kind, target: name, from: Date.now(), since: 0, to: null };
    this.faults.push(fault);
    await strike();
    fault.since = Date.now();
    return fault;
  }

  #heal({ name }: Container, kinds: Kind[]) {
    for (const fault of this.faults) {
      if (fault.target === name && kinds.includes(fault.kind)) fault.to ??= Date.now();
    }
  }

  async #networkHandle() {
    return (await engine()).getNetwork(this.#network.getId());
  }
}

/** Has the kernel treat a container's packets by these rules alone, in both directions. */
async function filter(container: Container, rules: string[][]) {
  const { Pid } = (await container.inspect()).State;
  const inIts = (args: string[]) =>
    execute("nsenter", [`--net=/proc/${Pid}/ns/net`, "iptables", ...args]);
  for (const chain of ["INPUT", "OUTPUT"]) {
    await inIts(["--flush", chain]);
    for (const rule of rules) await inIts(["--append", chain, ...rule]);
  }
}

/** Only root of the machine that the engine runs on can. */
export async function canDropPackets(container: Container): Promise<boolean> {
  return filter(container, []).then(
    () => true,
    () => false,
  );
}
