// A TCP relay to a broker that passes on so many bytes per second and direction.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

const STEP_MS = 20;

export class SlowLink implements Disposable {
  readonly endpoint: string;
  #sockets = new Set<Socket>();
  #timers = new Set<NodeJS.Timeout>();
  #close: () => void;

  /** A link to the broker at `endpoint`. Its own endpoint is for workers and clients. */
  static async to(endpoint: string, bytesPerS: number): Promise<SlowLink> {
    const { port } = new URL(endpoint);
    const server = createServer({ allowHalfOpen: true, highWaterMark: 4096 });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const link = new SlowLink(server.address() as AddressInfo, () => server.close());
    server.on("connection", (near) => {
      const far = connect({ host: "127.0.0.1", port: Number(port) });
      link.#passOn(near, far, bytesPerS);
      link.#passOn(far, near, bytesPerS);
    });
    return link;
  }

  private constructor({ port }: AddressInfo, close: () => void) {
    this.endpoint = `tcp://127.0.0.1:${port}`;
    this.#close = close;
  }

  #passOn(from: Socket, to: Socket, bytesPerS: number) {
    this.#sockets.add(from);
    let [credit, at] = [0, performance.now()];
    const timer = setInterval(() => {
      const now = performance.now();
      credit = Math.min(credit + ((now - at) * bytesPerS) / 1000, bytesPerS / 4);
      at = now;
      while (credit > 0 && to.writableLength === 0) {
        const size = Math.min(from.readableLength, Math.ceil(credit));
        const bytes = size > 0 ? from.read(size) : null;
        if (!bytes) break;
        credit -= bytes.length;
        to.write(bytes);
      }
      from.read(0);
    }, STEP_MS);
    this.#timers.add(timer);
    from.on("error", () => {});
    from.on("close", () => {
      clearInterval(timer);
      to.destroy();
    });
    from.on("end", () => to.end());
  }

  [Symbol.dispose]() {
    this.#close();
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}
