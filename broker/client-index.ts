// All open requests by the clients that wait for their outcome.

import { IntrusiveList } from "../collections/intrusive-list.ts";
import type { Address } from "../protocol/frame.ts";
import type { Request } from "./model.ts";

/** What one client waits for. */
class Client extends IntrusiveList<Request> {
  readonly address: Address;

  constructor(address: Address) {
    super();
    this.address = address;
  }

  /** Its requests have its address in common, so that it is kept once. */
  add(request: Request) {
    request.client = this.address;
    this.push(request);
  }

  protected before(request: Request) {
    return request.clientBefore;
  }
  protected after(request: Request) {
    return request.clientAfter;
  }
  protected setBefore(request: Request, neighbour: Request | null) {
    request.clientBefore = neighbour;
  }
  protected setAfter(request: Request, neighbour: Request | null) {
    request.clientAfter = neighbour;
  }
}

export class ClientIndex {
  #byAddress = new Map<Address, Client>();
  #earlier = new Map<Address, Set<Request>>(); // Calls by who asked before, and may wait again.

  /** Those that this client waits for, and then those that it asked for before somebody else did. */
  *openOf(address: Address) {
    yield* this.#byAddress.get(address) ?? [];
    yield* this.#earlier.get(address) ?? [];
  }

  add(request: Request) {
    if (request.client !== null) this.#at(request.client).add(request);
    const earlier = request.call?.previousReplyTo;
    if (!earlier) return;
    const calls = this.#earlier.get(earlier.client) ?? new Set();
    this.#earlier.set(earlier.client, calls.add(request));
  }

  remove(request: Request) {
    if (request.client !== null) this.#removeFrom(request.client, request);
    const earlier = request.call?.previousReplyTo;
    if (!earlier) return;
    const calls = this.#earlier.get(earlier.client);
    calls?.delete(request);
    if (calls?.size === 0) this.#earlier.delete(earlier.client);
  }

  #removeFrom(address: Address, request: Request) {
    const client = this.#byAddress.get(address);
    client?.remove(request);
    if (client?.isEmpty) this.#byAddress.delete(address);
  }

  #at(address: Address): Client {
    const known = this.#byAddress.get(address);
    if (known) return known;
    const client = new Client(address);
    this.#byAddress.set(address, client);
    return client;
  }
}
