// Stands between who connects and who listens, and can keep back what is said.

import { connect, createServer, type Server, type Socket } from "node:net";
import { freeEndpoint } from "../endpoint.ts";

type Ends = { caller: Socket; listener: Socket };

export class Link implements Disposable {
  readonly endpoint: string;
  #server: Server;
  #connections: Ends[] = [];
  #fatal: string | null = null;

  /** To who listens at this endpoint. */
  static async to(listener: string): Promise<Link> {
    const link = new Link(await freeEndpoint(), listener);
    await new Promise<void>((resolve) => link.#server.listen(portOf(link.endpoint), resolve));
    return link;
  }

  private constructor(endpoint: string, listener: string) {
    this.endpoint = endpoint;
    this.#server = createServer((caller) => {
      const ends = { caller, listener: connect(portOf(listener), "127.0.0.1") };
      for (const socket of Object.values(ends)) socket.on("error", () => cut(ends));
      caller.pipe(ends.listener).pipe(caller);
      caller.on("data", (said) => this.#watch(said, ends));
      this.#connections.push(ends);
    });
  }

  /** From now on who listens hears nothing more, and is heard. */
  mute() {
    for (const { caller, listener } of this.#connections) caller.unpipe(listener).pause();
  }

  /** The next time that this is said it is heard and answered, but the answer gets lost. */
  cutAfter(words: string) {
    this.#fatal = words;
  }

  #watch(said: Buffer, ends: Ends) {
    if (this.#fatal === null || !said.includes(this.#fatal)) return;
    this.#fatal = null;
    ends.listener.unpipe(ends.caller).resume();
    ends.listener.once("data", () => cut(ends));
  }

  /** What was kept back is never said. */
  [Symbol.dispose]() {
    this.#server.close();
    this.#connections.forEach(cut);
  }
}

function cut({ caller, listener }: Ends) {
  caller.destroy();
  listener.destroy();
}

const portOf = (endpoint: string) => Number(new URL(endpoint).port);
