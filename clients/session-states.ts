// The states of a client session (session.ts), and all transitions between them.
//
// Theory of operation
//
// A session has two state machines that run side by side. Both are tables: state × event → next
// state. A cell that repeats its own state means that the event changes nothing. Every cell is
// present, so the compiler finds a missing transition.
//
// 1. Connection: does the broker receive a message, and is a plain reply unambiguous?
//
//                              ┌──────────────────abandoned─────────────────────────┐
//                              │                                                    v
//      closed ──connect──> connecting ──opened, received──> open ──abandoned──> ambiguous
//        ^                     │                              │                     │
//        └───────close─────────┴──────────────close───────────┴────────close────────┘
//
//    A plain reply carries no request id. Once the session abandons a plain request, its late reply
//    could pass for the reply to the next request. The socket is then ambiguous, and the session
//    must reconnect before it sends another plain request.
//
// 2. Mode: how does the session send requests to this broker?
//
//    The broker's answer to a capability probe (8/MMI: does mmi.call exist?) selects the mode:
//      "mmi.call"  every request carries an envelope with its id; many may be outstanding
//      "plain"     no envelope, as a REQ client sends it (7/MDP); one request outstanding at a time
//    Some brokers never answer the probe. After half a silence the session guesses "plain". A later
//    answer to the probe corrects the guess, and each new socket repeats the probe.
//    A broker that knew mmi.call and went silent is slow, not plain. The session therefore waits in
//    "reconfirming" and never guesses: a plain request would execute a second time.
//
// A request has no table: it is queued, sent or settled, and only queued requests are sent.

/** The state of the socket. */
export type ConnectionState =
  | "closed" // No socket.
  | "connecting" // The transport queues outgoing messages; there may be no broker.
  | "open" // The broker receives outgoing messages.
  | "ambiguous"; // Connecting or open, but a late plain reply could match the wrong request.

/** An event of the connection machine. */
export type ConnectionEvent =
  | "connect" // The session opens a socket.
  | "opened" // The transport reports a connection.
  | "received" // A message arrived, so there is a connection.
  | "abandoned" // The caller cancelled the plain request in flight, or its deadline passed.
  | "close"; // The session closes the socket, or the connection broke.

/** All transitions of the connection: state × event → state. */
export const CONNECTION: Table<ConnectionState, ConnectionEvent> = {
  closed: {
    connect: "connecting",
    opened: "closed",
    received: "closed",
    abandoned: "closed",
    close: "closed",
  },
  connecting: {
    connect: "connecting",
    opened: "open",
    received: "open",
    abandoned: "ambiguous",
    close: "closed",
  },
  open: {
    connect: "connecting",
    opened: "open",
    received: "open",
    abandoned: "ambiguous",
    close: "closed",
  },
  ambiguous: {
    connect: "connecting",
    opened: "ambiguous",
    received: "ambiguous",
    abandoned: "ambiguous",
    close: "closed",
  },
};

/** How the session sends requests to the current broker. */
export type Mode =
  | "unknown" // No broker has answered a probe; requests wait.
  | "reconfirming" // The last broker knew mmi.call; requests wait for this one's answer.
  | "mmi.call" // The broker supports mmi.call.
  | "plain guess" // The broker is reachable and silent; it is treated as plain.
  | "plain"; // The broker does not support mmi.call.

/** An event of the mode machine. */
export type ModeEvent =
  | "probe: yes" // The broker answered the probe with 200.
  | "probe: no" // The broker answered the probe with anything else.
  | "call: not understood" // The broker answered a call, but without a status.
  | "half silent" // A reachable broker sent nothing for half of silenceMs.
  | "silent" // The broker sent nothing for silenceMs; the session reconnects.
  | "broken"; // The connection broke; the next broker may be another program.

/** All transitions of the mode: state × event → state. */
export const MODE: Table<Mode, ModeEvent> = {
  unknown: {
    "probe: yes": "mmi.call",
    "probe: no": "plain",
    "call: not understood": "plain",
    "half silent": "plain guess",
    silent: "unknown",
    broken: "unknown",
  },
  reconfirming: {
    "probe: yes": "mmi.call",
    "probe: no": "plain",
    "call: not understood": "plain",
    "half silent": "reconfirming",
    silent: "reconfirming",
    broken: "reconfirming",
  },
  "mmi.call": {
    "probe: yes": "mmi.call",
    "probe: no": "plain", // Another broker is behind the endpoint; the session must reconnect.
    "call: not understood": "plain",
    "half silent": "mmi.call",
    silent: "reconfirming",
    broken: "reconfirming",
  },
  "plain guess": {
    "probe: yes": "mmi.call",
    "probe: no": "plain",
    "call: not understood": "plain guess",
    "half silent": "plain guess",
    silent: "plain guess",
    broken: "unknown",
  },
  plain: {
    "probe: yes": "mmi.call",
    "probe: no": "plain",
    "call: not understood": "plain",
    "half silent": "plain",
    silent: "plain",
    broken: "unknown",
  },
};

/** Per mode: the form of a request, or null while requests must wait. */
export const FORM: Record<Mode, "call" | "plain" | null> = {
  unknown: null,
  reconfirming: null,
  "mmi.call": "call",
  "plain guess": "plain",
  plain: "plain",
};

/** Per mode: whether a new socket starts with a capability probe. */
export const PROBES_FIRST: Record<Mode, boolean> = {
  unknown: true,
  reconfirming: true,
  "mmi.call": false,
  "plain guess": true,
  plain: false,
};

type Table<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Record<Event, State>>>
>;
