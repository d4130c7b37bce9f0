/** The bounds of a broker. Every structure that peers can make grow has one. */
export type Limits = {
  /** How long a request may stay open, in ms, unless its call has a ttl. */
  requestTtlMs: number;
  /**
   * A request is quarantined when so many deaths of workers count against it (isolation.ts), or after
   * one less than twice as many deliveries.
   */
  deliveriesMax: number;
  /** The most open requests of one service. */
  queueMax: number;
  /** The most bytes that all open requests may weigh together. */
  queueBytesMax: number;
  /** The most services that have a worker or an open request. */
  servicesMax: number;
  /** The most bytes of a message, and of a reply that the broker gathers from its parts. */
  messageBytesMax: number;
  /** The most outcomes of calls with an id that the broker remembers. */
  outcomesMax: number;
  /** The most bytes that these outcomes may weigh together. */
  outcomesBytesMax: number;
  /** How long the broker remembers an outcome, in ms. */
  outcomesMs: number;
  /** How long a drain waits for requests in flight, in ms. */
  drainMs: number;
};
