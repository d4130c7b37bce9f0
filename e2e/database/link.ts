// A TCP proxy between a peer and its server. It can hold back what the peer sends, and lose a reply.

import { connect, createServer, type Server, type Socket } from "node:net";
import { freeEndpoint } from "../endpoint.ts";

type Pair = { caller: Socket; listener: Socket };

export class Link implements Disposable {
  readonly endpoint: string;
  #server: Server;
  #pairs: Pair[] = [];
  #fatal: string | null = null; // These bytes cut the connection that carries them.
  #refuses = false;
  #refusesAfterCut = false;

  /** A link to the server at this endpoint. */
  static async to(listener: string): Promise<Link> {
    const link = new Link(await freeEndpoint(), listener);
    await new Promise<void>((resolve) => link.#server.listen(portOf(link.endpoint), resolve));
    return link;
  }

  private constructor(endpoint: string, listener: string) {
    this.endpoint = endpoint;
    this.#server = createServer((caller) => {
      if (this.#refuses) return void caller.destroy();
      const pair = { caller, listener: connect(portOf(listener), "127.0.0.1") };
      for (const socket of Object.values(pair)) socket.on("error", () => cut(pair));
      caller.pipe(pair.listener).pipe(caller);
      caller.on("data", (bytes) => this.#watch(bytes, pair));
      this.#pairs.push(pair);
    });
  }

  /** From now on the server receives nothing from its peers; they still receive from it. */
  mute() {
    for (const { caller, listener } of this.#pairs) caller.unpipe(listener).pause();
  }

  /**
   * The next time that a peer sends `words`, the server receives them and replies, but the link loses
   * the reply and closes the connection. With `andRefuse` it closes all connections, and none succeeds
   * until `accept`.
   */
  cutAfter(words: string, { andRefuse = false } = {}) {
    this.#fatal = words;
    this.#refusesAfterCut = andRefuse;
  }

  accept() {
    this.#refuses = false;
  }

  #watch(bytes: Buffer, pair: Pair) {
    if (this.#fatal === null || !bytes.includes(this.#fatal)) return;
    this.#fatal = null;
    this.#refuses = this.#refusesAfterCut;
    pair.listener.unpipe(pair.caller).resume();
    // A worker has further connections, such as that of its pruner.
    pair.listener.once("data", () => (this.#refuses ? this.#pairs : [pair]).forEach(cut));
  }

  /** Closes all connections. Held back bytes are lost. */
  [Symbol.dispose]() {
    this.#server.close();
    this.#pairs.forEach(cut);
  }
}

function cut({ caller, listener }: Pair) {
  caller.destroy();
  listener.destroy();
}

const portOf = (endpoint: string) => Number(new URL(endpoint).port);
