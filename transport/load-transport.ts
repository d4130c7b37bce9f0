import type { Transport, TransportName } from "./transport.ts";

/**
 * Resolves to the transport of this name. Each transport is loaded only where a process uses it:
 * `libzmq` brings a native library.
 */
export function loadTransport(name: TransportName): Promise<Transport> {
  return name === "libzmq" ? import("./libzmq.ts") : import("./zmtp/sockets.ts");
}
