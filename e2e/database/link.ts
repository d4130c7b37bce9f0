// Stands between a worker and its broker, and can keep back what the worker says.

import { connect, createServer, type Server, type Socket } from "node:net";
import { freeEndpoint } from "../endpoint.ts";

export class Link implements Disposable {
  readonly endpoint: string;
  #server: Server;
  #pairs: { worker: Socket; broker: Socket }[] = [];

  static async to(broker: string): Promise<Link> {
    const link = new Link(await freeEndpoint(), broker);
    await new Promise<void>((resolve) => link.#server.listen(portOf(link.endpoint), resolve));
    return link;
  }

  private constructor(endpoint: string, broker: string) {
    this.endpoint = endpoint;
    this.#server = createServer((worker) => {
      const pair = { worker, broker: connect(portOf(broker), "127.0.0.1") };
      for (const socket of Object.values(pair)) socket.on("error", () => socket.destroy());
      worker.pipe(pair.broker).pipe(worker);
      this.#pairs.push(pair);
    });
  }

  /** From now on the broker hears nothing of the worker, which hears everything. */
  mute() {
    for (const { worker, broker } of this.#pairs) worker.unpipe(broker).pause();
  }

  /** What was kept back is never said. */
  [Symbol.dispose]() {
    this.#server.close();
    for (const { worker, broker } of this.#pairs) {
      worker.destroy();
      broker.destroy();
    }
  }
}

const portOf = (endpoint: string) => Number(new URL(endpoint).port);
