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
  #byPreviousAddress = new Map<Address, Set<Request>>(); // By `previousReplyTo`.

  /**
   * The requests whose outcome goes to this client, then those of which it is the previous client.
   */
  *openOf(address: Address) {
    yield* this.#byAddress.get(address) ?? [];
    yield* this.#byPreviousAddress.get(address) ?? [];
  }

  /** Adds a request under its client and its previous client, as far as it has them. */
  add(request: Request) {
    if (request.client !== null) this.#clientAt(request.client).add(request);
    const previous = request.call?.previousReplyTo;
    if (!previous) return;
    const calls = this.#byPreviousAddress.get(previous.client) ?? new Set();
    this.#byPreviousAddress.set(previous.client, calls.add(request));
  }

  /** Removes a request. Call it before the client or the previous client of the request changes. */
  remove(request: Request) {
    if (request.client !== null) this.#removeFrom(request.client, request);
    const previous = request.call?.previousReplyTo;
    if (!previous) return;
    const calls = this.#byPreviousAddress.get(previous.client);
    calls?.delete(request);
    if (calls?.size === 0) this.#byPreviousAddress.delete(previous.client);
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
