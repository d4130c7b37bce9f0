// The open requests of each client, for the moment at which a client disconnects.

import { IntrusiveList } from "../collections/intrusive-list.ts";
import type { Address } from "../protocol/frame.ts";
import type { Request } from "./model.ts";

/** The requests whose outcome goes to one client. */
class Client extends IntrusiveList<Request> {
  readonly address: Address;

  constructor(address: Address) {
    super("clientBefore", "clientAfter");
    this.address = address;
  }

  /** Adds a request. All requests of a client share one string as their address. */
  add(request: Request) {
    request.client = this.address;
    this.push(request);
  }
}

/** All open requests, by the clients that their outcomes may go to. */
export class ClientIndex {
  #byAddress = new Map<Address, Client>();
  #byEarlierAddress = new Map<Address, Set<Request>>(); // By the earlier callers of a call.

  /**
   * The requests whose outcome goes to this client, then those of which it is an earlier caller.
   */
  *openOf(address: Address) {
    yield* this.#byAddress.get(address) ?? [];
    yield* this.#byEarlierAddress.get(address) ?? [];
  }

  /** Adds a request under its client and its earlier callers, as far as it has them. */
  add(request: Request) {
    if (request.client !== null) this.#clientAt(request.client).add(request);
    for (const { client } of request.call?.terms.earlier ?? []) {
      const calls = this.#byEarlierAddress.get(client) ?? new Set();
      this.#byEarlierAddress.set(client, calls.add(request));
    }
  }

  /** Removes a request. Call it before the client or the earlier callers of the request change. */
  remove(request: Request) {
    if (request.client !== null) this.#removeFrom(request.client, request);
    for (const { client } of request.call?.terms.earlier ?? []) {
      const calls = this.#byEarlierAddress.get(client);
      calls?.delete(request);
      if (calls?.size === 0) this.#byEarlierAddress.delete(client);
    }
  }

  #removeFrom(address: Address, request: Request) {
    const client = this.#byAddress.get(address);
    client?.remove(request);
    if (client?.length === 0) this.#byAddress.delete(address);
  }

  #clientAt(address: Address): Client {
    const known = this.#byAddress.get(address);
    if (known) return known;
    const client = new Client(address);
    this.#byAddress.set(address, client);
    return client;
  }
}
