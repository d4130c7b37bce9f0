// The endpoints of ZeroMQ over node:net: `tcp://host:port` and `ipc://path`. An ipc path that starts with
// @ is an abstract one, without a file (Linux).

import { once } from "node:events";
import { lstat, rm } from "node:fs/promises";
import { connect, isIP, isIPv6, type ListenOptions, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import {
  type IpcAddress,
  parseBrokerEndpoint,
  parseEndpoint,
  type TcpAddress,
  withPort,
} from "../endpoint.ts";
import { Attempts, type AttemptsEvents } from "./attempts.ts";
import { addressesOf } from "./lookups.ts";

export type DialEvents = AttemptsEvents & {
  /** Bytes arrived at the connected socket. They belong to the callee from then on. */
  received(bytes: Buffer): void;
};

/** An attempt to reach an endpoint, until there is a connection. */
export type Dialing = {
  /** Gives up. No events come any more. */
  close(): void;
  /** Whether it keeps the process running; true at first. */
  hold(keepsRunning: boolean): void;
};

/**
 * Looks up the host of `endpoint`, and connects to the first of its addresses that answers. Throws a
 * RangeError for a bad endpoint.
 */
export function dial(endpoint: string, events: DialEvents): Dialing {
  // All sockets read into one buffer: a copy costs less than a new buffer for each read.
  const callback = (size: number) => {
    events.received(Buffer.from(incoming.subarray(0, size)));
    return true;
  };
  const onread = { buffer: incoming, callback };
  const address = systemPath(parseBrokerEndpoint(endpoint));
  if ("path" in address) return new Attempts([{ ...address, onread }], events);
  const { host, port } = address;
  if (isIP(host) > 0) return new Attempts([{ host, port, onread }], events);
  let attempts: Attempts | null = null;
  let open = true;
  let keepsRunning = true;
  addressesOf(host).then(
    (addresses) => {
      const options = addresses.map(({ address: ip }) => ({ host: ip, port, onread }));
      if (!open) return;
      attempts = new Attempts(options, events);
      attempts.hold(keepsRunning);
    },
    (error) => {
      if (open) events.failed(error);
    },
  );
  return {
    close() {
      open = false;
      attempts?.close();
    },
    hold(keeps) {
      keepsRunning = keeps;
      attempts?.hold(keeps);
    },
  };
}

/** The IP address and port at the other end of an open socket, or null for `ipc`. */
export function remoteOf({ remoteAddress, remotePort }: Socket): string | null {
  const ip = ipOf(remoteAddress);
  if (ip === null || remotePort === undefined) return null;
  return isIPv6(ip) ? `[${ip}]:${remotePort}` : `${ip}:${remotePort}`;
}

/** A remote address without the prefix that a server for all interfaces adds to IPv4: `::ffff:`. */
export function ipOf(remoteAddress: string | undefined): string | null {
  if (remoteAddress === undefined) return null;
  return /^::ffff:([0-9.]+)$/.exec(remoteAddress)?.[1] ?? remoteAddress;
}

const incoming = Buffer.allocUnsafeSlow(2 ** 16);

/**
 * Resolves to the endpoint when `server` listens there, with the port that the system chose for `*`
 * or 0. Replaces the socket file that a dead server left behind. Rejects with a RangeError for a bad
 * endpoint, else with the system's error (EADDRINUSE, EACCES …).
 */
export async function listen(server: Server, endpoint: string): Promise<string> {
  const address = localAddress(systemPath(parseEndpoint(endpoint)));
  try {
    await listening(server, address);
  } catch (error) {
    if (!address.path || !(await isLeftOver(address.path))) throw error;
    await rm(address.path);
    await listening(server, address);
  }
  const bound = server.address();
  return bound !== null && typeof bound === "object" ? withPort(endpoint, bound.port) : endpoint;
}

/** The address with an abstract path as the system writes it. */
function systemPath(address: TcpAddress | IpcAddress): TcpAddress | IpcAddress {
  if (!("path" in address && address.path.startsWith("@"))) return address;
  return { path: `\0${address.path.slice(1)}` };
}

/** The host of a bound endpoint may be * for all interfaces, or the name of one. */
function localAddress(address: TcpAddress | IpcAddress): ListenOptions {
  if ("path" in address) return address;
  const { host, port } = address;
  if (host === "*") return { port };
  if (isIP(host) > 0) return { host, port };
  const addresses = networkInterfaces()[host] ?? [];
  return { host: addresses.find(({ family }) => family === "IPv4")?.address ?? host, port };
}

async function listening(server: Server, address: ListenOptions) {
  server.listen(address);
  await once(server, "listening");
}

async function isLeftOver(path: string): Promise<boolean> {
  const file = await lstat(path).catch(() => null);
  if (!file?.isSocket()) return false;
  const socket = connect({ path });
  const error = await once(socket, "connect").then(
    () => null,
    (error: NodeJS.ErrnoException) => error,
  );
  socket.destroy();
  return error?.code === "ECONNREFUSED";
}
