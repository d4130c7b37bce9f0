// The nemesis: injects faults into containers, heals them, and records both.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { StartedNetwork } from "testcontainers";
import type { Container } from "./container.ts";
import { engine } from "./engine.ts";

const execute = promisify(execFile);

export type FaultKind =
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

/** One fault. Times are in ms since 1970. */
export type Fault = {
  kind: FaultKind;
  /** The name of the container. */
  target: string;
  /** The time just before the injection. */
  from: number;
  /** The time of the healing; null before that. */
  to: number | null;
};

export class Nemesis {
  readonly faults: Fault[] = [];
  #network: StartedNetwork;

  constructor(network: StartedNetwork) {
    this.#network = network;
  }

  /** SIGKILL: the kernel closes its connections; the program sends nothing more. */
  kill(container: Container): Promise<Fault> {
    return this.#signal("killed", container, "SIGKILL");
  }

  /** Records a crash that the nemesis did not cause. */
  recordCrash({ name }: Container, at: number) {
    this.faults.push({ kind: "crashed", target: name, from: at, to: null });
  }

  /** SIGTERM: the program drains and exits. */
  terminate(container: Container): Promise<Fault> {
    return this.#signal("terminated", container, "SIGTERM");
  }

  /** Starts a container again after `kill` or `terminate`. */
  async revive(container: Container) {
    await container.startAgain();
    this.#heal(container, ["killed", "terminated"]);
  }

  /** SIGTERM, SIGKILL after `withinMs`, and a new start. */
  async restart(container: Container, withinMs = 10_000): Promise<Fault> {
    const fault = await this.#inject("restarted", container, async () => {
      await (await container.handle()).restart({ t: withinMs / 1000 });
    });
    await container.followAgain();
    this.#heal(container, ["restarted"]);
    return fault;
  }

  /** SIGSTOP until `thaw`: the program stops running, its connections stay open. */
  freeze(container: Container): Promise<Fault> {
    return this.#signal("frozen", container, "SIGSTOP");
  }

  async thaw(container: Container) {
    await (await container.handle()).kill({ signal: "SIGCONT" });
    this.#heal(container, ["frozen"]);
  }

  /** The same by the kernel's cgroup freezer, which no process can notice; until `unpause`. */
  pause(container: Container): Promise<Fault> {
    return this.#inject("paused", container, async () => (await container.handle()).pause());
  }

  async unpause(container: Container) {
    await (await container.handle()).unpause();
    this.#heal(container, ["paused"]);
  }

  /** Disconnects the container from its network until `connect`. */
  async disconnect(container: Container): Promise<Fault> {
    const network = await this.#networkHandle();
    const Container = container.id;
    return this.#inject("cut off", container, () => network.disconnect({ Container, Force: true }));
  }

  async connect(container: Container) {
    const network = await this.#networkHandle();
    const EndpointConfig = { Aliases: [container.name, ...container.aliases] };
    await network.connect({ Container: container.id, EndpointConfig });
    this.#heal(container, ["cut off"]);
  }

  /** Drops all packets to and from the container until `restorePackets`. */
  async blackHole(container: Container): Promise<Fault> {
    return this.#inject("black-holed", container, () => filter(container, [["-j", "DROP"]]));
  }

  /** Drops this share (0 to 1) of the packets to and from the container until `restorePackets`. */
  async losePackets(container: Container, share: number): Promise<Fault> {
    const some = ["-m", "statistic", "--mode", "random", "--probability", String(share)];
    return this.#inject("losing packets", container, () =>
      filter(container, [[...some, "-j", "DROP"]]),
    );
  }

  async restorePackets(container: Container) {
    await filter(container, []);
    this.#heal(container, ["black-holed", "losing packets"]);
  }

  /** Fills the disk of this file, except for `leftKiB`, until `makeRoom`. */
  fillDisk(container: Container, file: string, leftKiB: number): Promise<Fault> {
    const room = "$(df --output=avail --block-size=1K $(dirname $0) | tail -n 1)";
    const script = `fallocate --length $((${room} - ${leftKiB}))K $0`;
    return this.#inject("full disk", container, () => container.run("sh", "-c", script, file));
  }

  async makeRoom(container: Container, file: string) {
    await container.run("rm", file);
    this.#heal(container, ["full disk"]);
  }

  #signal(kind: FaultKind, container: Container, signal: NodeJS.Signals): Promise<Fault> {
    return this.#inject(kind, container, async () => (await container.handle()).kill({ signal }));
  }

  async #inject(
    kind: FaultKind,
    { name }: Container,
    inject: () => Promise<unknown>,
  ): Promise<Fault> {
    const fault: Fault = { kind, target: name, from: Date.now(), to: null };
    this.faults.push(fault);
    await inject();
    return fault;
  }

  #heal({ name }: Container, kinds: FaultKind[]) {
    for (const fault of this.faults) {
      if (fault.target === name && kinds.includes(fault.kind)) fault.to ??= Date.now();
    }
  }

  async #networkHandle() {
    return (await engine()).getNetwork(this.#network.getId());
  }
}

/** Replaces the container's iptables rules, in both directions. */
async function filter(container: Container, rules: string[][]) {
  const { Pid } = (await container.inspect()).State;
  const iptables = (...args: string[]) =>
    execute("nsenter", [`--net=/proc/${Pid}/ns/net`, "iptables", ...args]);
  for (const chain of ["INPUT", "OUTPUT"]) {
    await iptables("--flush", chain);
    for (const rule of rules) await iptables("--append", chain, ...rule);
  }
}

/** True if the nemesis can drop packets: only root can, on the machine of the engine. */
export async function canDropPackets(container: Container): Promise<boolean> {
  return filter(container, []).then(
    () => true,
    () => false,
  );
}
