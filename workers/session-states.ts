// The states of a worker's session and the transitions between them. session.ts acts on them.
//
// Theory of operation
//
// A conversation is the time from the opening of a socket to its close. The session has one
// conversation at a time. When the broker is lost, the session opens the next one after a backoff.
// A request belongs to its conversation. When the conversation ends, the broker redelivers the
// request to another worker, so the session aborts the handler and drops its reply.
//
// Some brokers abort on a READY with more frames than 7/MDP has. So most conversations begin with
// two capability probes, and their replies choose the form of READY: see ready-choice.ts.
//
// MDP has no answer to READY. A worker is therefore `unconfirmed` until the broker sends a command.
//
// Each state but `stopped` has one timeout:
//
//   disconnected   no socket; the timeout is the backoff, and then the first free place
//   reaching       the probes wait on a new socket for its connection; the timeout is the lease
//   probing        the connection carries the probes; the timeout is that of ready-choice.ts
//   opening        READY waits on a new socket for its connection; the timeout is the lease
//   unconfirmed    the connection carries READY; the timeout is the lease of the broker
//   confirmed      the broker has sent a command, so the worker is registered; same timeout
//   renewing       the broker has more than this READY uses, or the places are not those that a
//                  broker without pairs uses: handlers finish, new requests are ignored, then the
//                  next conversation begins; same timeout
//   closing        as `leaving`, before the next conversation
//   draining       the program is to stop: handlers finish, and new requests are returned, or ignored
//                  where the broker has no pairs; same timeout
//   leaving        DISCONNECT is sent, and the socket stays open for LEAVE_MS so that it arrives
//   finishing      the socket is closed for good, and handlers of given up requests run; the timeout
//                  is the time limit since the drain
//   stopped        the worker does nothing more
//
// These events cause transitions:
//
//   probe          the backoff is over, and the conversation begins with the probes
//   connect        the backoff is over, and the conversation begins with READY
//   opened         the transport has a connection
//   chosen         the replies to the probes, or their absence, have chosen READY
//   outdone        a reply to a probe came after READY, and allows a READY with more frames
//   resized        a broker without pairs may use more places than are free, or fewer
//   command        the broker sent a command other than DISCONNECT
//   bytes          bytes of a long message of the broker arrived
//   lost           the connection broke, or the broker sent DISCONNECT or nothing for a lease
//   drain          the program is to stop
//   finished       the last request in flight has its reply
//   left           LEAVE_MS are over, or the connection broke after our DISCONNECT
//   ended          the last handler has ended, or the time for it is over
//
// TRANSITIONS is complete: a state ignores the events that it does not list. Only a `confirmed`
// worker accepts requests, so the states before it have none in flight and `drain` skips `draining`.
// A worker without a READY has nothing to leave, so `drain` skips `leaving` too.

export type State =
  | "disconnected"
  | "reaching"
  | "probing"
  | "opening"
  | "unconfirmed"
  | "confirmed"
  | "renewing"
  | "closing"
  | "draining"
  | "leaving"
  | "finishing"
  | "stopped";

export type Event =
  | "probe"
  | "connect"
  | "opened"
  | "chosen"
  | "outdone"
  | "resized"
  | "command"
  | "bytes"
  | "lost"
  | "drain"
  | "finished"
  | "left"
  | "ended";

// biome-ignore format: a table, to be read by its columns.
export const TRANSITIONS: Record<State, Partial<Record<Event, State>>> = {
  disconnected: { probe: "reaching", connect: "opening", drain: "finishing" },
  reaching:     { opened: "probing",     chosen: "unconfirmed",  lost: "disconnected", drain: "finishing" },
  probing:      { opened: "probing",     chosen: "unconfirmed",  lost: "disconnected", drain: "finishing" },
  opening:      { opened: "unconfirmed", command: "confirmed",   lost: "disconnected", drain: "leaving" },
  unconfirmed:  { opened: "unconfirmed", command: "confirmed",   lost: "disconnected", drain: "leaving",
                  outdone: "renewing",   bytes: "unconfirmed" },
  confirmed:    { opened: "confirmed",   command: "confirmed",   lost: "disconnected", drain: "draining",
                  outdone: "renewing",   bytes: "confirmed",     resized: "renewing" },
  renewing:     { opened: "renewing",    command: "renewing",    lost: "disconnected", drain: "draining",
                  finished: "closing",   bytes: "renewing" },
  closing:      { left: "disconnected",  drain: "leaving" },
  draining:     { opened: "draining",    command: "draining",    lost: "finishing",    finished: "leaving",
                  bytes: "draining" },
  leaving:      { left: "finishing" },
  finishing:    { ended: "stopped" },
  stopped:      {},
};

/** The states before the first READY of a conversation. */
export const isBeforeReady = (state: State) => state === "reaching" || state === "probing";

/** The states in which READY is sent and the broker has not sent a command. */
export const awaitsCommand = (state: State) => state === "opening" || state === "unconfirmed";

/** The states after DISCONNECT of the worker. */
export const hasLeft = (state: State) => state === "closing" || state === "leaving";
