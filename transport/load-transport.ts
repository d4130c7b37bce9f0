import type { Transport, TransportName } from "./transport.ts";

/**
 * Resolves to the transport of this name. Each transport is loaded only where a process uses it:
 * `libzmq` brings a native library. Rejects with a RangeError for any other name.
 */
export async function loadTransport(name: TransportName): Promise<Transport> {
  switch (name) {
    case "zmtp":
      return await import("./zmtp/sockets.ts");
    case "libzmq":
      return await import("./libzmq.ts");
    default:
      throw new RangeError(`"${name}" is not a transport: it is zmtp or libzmq`);
  }
}
