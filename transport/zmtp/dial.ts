// The endpoints of ZeroMQ over node:net: `tcp://host:port` and `ipc://path`, where a path that begins
// with @ is an abstract one (Linux).

import { once } from "node:events";
import { lstat, rm } from "node:fs/promises";
import { connect, type ListenOptions, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * A socket that is on its way to `endpoint`; the name is looked up anew each time. What comes is handed
 * to `received`, and is its own from then on.
 */
export function dial(endpoint: string, received: (bytes: Buffer) => void): Socket {
  // All sockets read into the same memory, which costs less than memory for each reading.
  const callback = (size: number) => {
    received(Buffer.from(incoming.subarray(0, size)));
    return true;
  };
  return connect({ ...addressOf(endpoint), onread: { buffer: incoming, callback } });
}

const incoming = Buffer.allocUnsafeSlow(2 ** 16);

/**
 * Resolves once `server` listens at `endpoint`. Rejects with the system's error (EADDRINUSE, EACCES …)
 * if it cannot. A socket file that is left over from a server that died is replaced.
 */
export async function listen(server: Server, endpoint: string) {
  const address = here(addressOf(endpoint));
  try {
    await listening(server, address);
  } catch (error) {
    if (!address.path || !(await isLeftOver(address.path))) throw error;
    await rm(address.path);
    await listening(server, address);
  }
}

type TcpAddress = { host: string; port: number };
type IpcAddress = { path: string };

function addressOf(endpoint: string): TcpAddress | IpcAddress {
  const [, host = "", port] = /^tcp:\/\/(.+):([0-9]+)$/.exec(endpoint) ?? [];
  if (host !== "") return { host, port: Number(port) };
  const path = /^ipc:\/\/(.+)$/.exec(endpoint)?.[1];
  if (path === undefined) throw new RangeError(`not an endpoint: ${endpoint}`);
  return { path: path.startsWith("@") ? `\0${path.slice(1)}` : path };
}

/** For a host there may be the name of a network interface, or * for all of them. */
function here(address: TcpAddress | IpcAddress): ListenOptions {
  if ("path" in address) return address;
  const { host, port } = address;
  if (host === "*") return { port };
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
