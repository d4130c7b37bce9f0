// The requirements of the specifications on the wire, in our own words. Each requirement has an id, which
// stands in the titles of its tests and in docs/CONFORMANCE.md. An id is never given to another rule.

/** Specification → clause → id → requirement. */
export const SPECIFICATIONS = {
  "7/MDP": {
    "Overall Topology": {
      "MDP1-B-01": "The broker SHOULD serve clients fairly.",
      "MDP1-B-02": "A worker handles at most one request at a time.",
      "MDP1-B-03": "The broker keeps one queue per service.",
      "MDP1-B-04": "Clients and workers may come and go at any time.",
    },
    Goals: {
      "MDP1-B-05": "The broker can deliver to the worker that was idle the longest.",
      "MDP1-B-06": "The broker redelivers the requests of dead and disconnected workers.",
    },
    "ROUTER Addressing": {
      "MDP1-B-07": "Clients and workers MAY share one ROUTER socket of the broker.",
    },
    "MDP/Client": {
      "MDP1-B-08": "REQUEST and REPLY are an empty frame, `MDPC01`, the service and the body.",
      "MDP1-B-09": "A REQ socket, which hides the empty frame, can be a client.",
      "MDP1-B-10": "A body is opaque: any number of frames, any bytes, any size.",
      "MDP1-B-11": "The service name of a REQUEST matches the one in a worker's READY.",
      "MDP1-B-12": "The broker SHOULD queue requests for a service without workers.",
      "MDP1-B-13": "The broker SHOULD expire such requests after a configurable time.",
      "MDP1-B-14": "The client that sent a REQUEST gets its REPLY, and no other client does.",
      "MDP1-B-15": "The broker answers a REQUEST with one REPLY.",
      "MDP1-C-01": "A client on a DEALER socket MUST send the empty frame itself.",
      "MDP1-C-02":
        "The dialog is synchronous: a client sends one REQUEST, then waits for its REPLY.",
      "MDP1-C-03": "A client without a reply closes its socket, and retries on a new one.",
      "MDP1-C-04": "A client without a reply after several tries reports a failure.",
      "MDP1-C-05": "A client takes no other message for the REPLY to its REQUEST.",
    },
    "MDP/Worker": {
      "MDP1-B-16":
        "READY is an empty frame, `MDPW01`, 01 and the service; there is no fifth frame.",
      "MDP1-B-17":
        "REQUEST is an empty frame, `MDPW01`, 02, the client address, an empty frame, the body.",
      "MDP1-B-18":
        "HEARTBEAT and DISCONNECT have three frames; surplus frames make a command invalid.",
      "MDP1-W-01":
        "READY is an empty frame, `MDPW01`, 01 and the service; there is no fifth frame.",
      "MDP1-W-02":
        "REPLY is an empty frame, `MDPW01`, 03, the client address, an empty frame, the body.",
      "MDP1-W-03": "A body is opaque: any number of frames, any bytes, any size.",
    },
    "Opening and Closing a Connection": {
      "MDP1-B-19": "The broker sends no response to READY.",
      "MDP1-B-20": "Many workers MAY serve one service.",
      "MDP1-B-21": "The broker MUST send nothing more to a worker that sent DISCONNECT.",
      "MDP1-B-22": "The broker MUST answer a second READY with DISCONNECT.",
      "MDP1-B-23": "The broker MUST answer a command before READY with DISCONNECT.",
      "MDP1-B-24": "The broker MUST answer REQUEST, and a REPLY to nothing, with DISCONNECT.",
      "MDP1-B-25": "After its DISCONNECT the broker MUST NOT send that worker any command.",
      "MDP1-B-26": "After another command of that worker, too, the broker sends nothing.",
      "MDP1-B-27": "The broker SHOULD drop invalid messages.",
      "MDP1-B-28": "The broker SHOULD treat the sender of an invalid message as invalid.",
      "MDP1-W-04": "A worker opens a connection with READY on a new DEALER socket.",
      "MDP1-W-05": "A worker MUST NOT send a second READY.",
      "MDP1-W-06": "A worker MAY send DISCONNECT at any time.",
      "MDP1-W-07": "A worker that receives DISCONNECT MUST send READY on a new socket.",
      "MDP1-W-08": "It MUST send nothing more on the old socket.",
      "MDP1-W-09": "A worker registers again with a broker that was restarted.",
      "MDP1-W-10": "A worker drops an invalid message, and ends the conversation with its sender.",
    },
    "Request and Reply Processing": {
      "MDP1-B-29": "REQUEST MUST carry one client address, followed by an empty frame.",
      "MDP1-B-30": "REPLY MUST carry one client address, and a body.",
      "MDP1-B-31": "An empty frame MUST follow the client address of a REPLY.",
      "MDP1-B-32": "The client address is the one that the ROUTER gave to the client.",
      "MDP1-B-33": "A worker sends one reply per request; the broker delivers no other.",
      "MDP1-W-11": "REPLY MUST carry the client address of its REQUEST unchanged, with any bytes.",
    },
    Heartbeating: {
      "MDP1-B-34": "The broker MUST send HEARTBEAT at the interval, to idle and busy workers.",
      "MDP1-B-35": "The broker SHOULD NOT send HEARTBEAT while it sends other commands.",
      "MDP1-B-36": "The broker MUST remove a worker that is silent for liveness × interval.",
      "MDP1-B-37": "The broker SHOULD send no message to a worker that it removed.",
      "MDP1-B-38": "Any command except DISCONNECT counts as a heartbeat of the worker.",
      "MDP1-B-39": "HEARTBEAT has no response.",
      "MDP1-B-40": "Heartbeats belong to MDP/Worker: a client gets none.",
      "MDP1-W-12": "A worker MUST send HEARTBEAT at the interval, idle or busy.",
      "MDP1-W-13": "Any command except DISCONNECT counts as a heartbeat of the broker.",
      "MDP1-W-14": "A worker SHOULD reconnect when the broker is silent for liveness × interval.",
    },
  },
  "18/MDP": {
    Goals: {
      "MDP2-B-01": "The broker redelivers the requests of dead and disconnected workers.",
      "MDP2-B-02": "MDP 0.2 is not compatible with 0.1: a worker stays with the one of its READY.",
    },
    "MDP/Client": {
      "MDP2-B-03": "REQUEST is `MDPC02`, 01, service, body; FINAL is `MDPC02`, 03, service, body.",
      "MDP2-B-04": "No frame goes before `MDPC02`: clients MUST use DEALER.",
      "MDP2-B-05":
        "The broker sends PARTIAL (`MDPC02`, 02, service, body) as often as the worker does.",
      "MDP2-B-06": "A body is opaque: any number of frames, any bytes, any size.",
      "MDP2-B-07": "The broker SHOULD queue requests for a service without workers.",
      "MDP2-B-08": "After FINAL the broker MUST send the client nothing more.",
      "MDP2-B-09": "PARTIAL and FINAL are the broker's: from a client they are invalid.",
      "MDP2-C-01": "A client MUST handle any number of PARTIALs before FINAL.",
    },
    "MDP/Worker": {
      "MDP2-B-10": "Commands begin with `MDPW02`; an empty frame before it is invalid.",
      "MDP2-B-11": "A worker handles at most one request at a time, until its FINAL.",
      "MDP2-W-01":
        "A worker that streams sends READY as `MDPW02`, 01, service, without a fourth frame.",
    },
    "Opening and Closing a Connection": {
      "MDP2-B-12": "The broker sends no response to READY.",
      "MDP2-B-13": "The broker MUST send nothing more to a worker that sent DISCONNECT.",
      "MDP2-B-14": "The broker MUST answer a second READY with DISCONNECT.",
      "MDP2-B-15": "The broker MUST answer a command before READY with DISCONNECT.",
      "MDP2-B-16":
        "The broker MUST answer REQUEST, and a PARTIAL or FINAL to nothing, with DISCONNECT.",
      "MDP2-B-17": "The broker SHOULD drop invalid messages.",
      "MDP2-B-18": "The broker SHOULD treat the sender of an invalid message as invalid.",
      "MDP2-W-02": "A worker MAY send DISCONNECT (`MDPW02`, 06) at any time.",
    },
    "Request and Reply Processing": {
      "MDP2-B-19": "PARTIAL and FINAL reach only the client whose address REQUEST carried.",
      "MDP2-W-03": "A worker MUST send zero or more PARTIALs, and then one FINAL, per REQUEST.",
    },
    Heartbeating: {
      "MDP2-B-20": "The broker MUST send HEARTBEAT (`MDPW02`, 05) at the interval.",
      "MDP2-B-21": "HEARTBEAT, PARTIAL and FINAL count as heartbeats of the worker.",
      "MDP2-W-04": "A worker MUST send HEARTBEAT (`MDPW02`, 05) at the interval.",
    },
  },
  "8/MMI": {
    Namespace: {
      "MMI-01": "The broker MUST handle the services whose names start with `mmi.` itself.",
      "MMI-02": "The broker MUST disconnect a worker that registers such a name.",
    },
    "Default services": {
      "MMI-03": "`mmi.service` MUST return 200 if a worker is registered, busy or idle.",
      "MMI-04": "`mmi.service` MUST return 404 if no worker is registered.",
      "MMI-05": "`mmi.service` looks a service up by its whole name.",
      "MMI-06": "Any other name that starts with `mmi.` MUST return 501.",
      "MMI-07": "A management reply has the frames of any other reply.",
      "MMI-08": "`mmi.service` MUST return 404 for names that no worker registered.",
    },
  },
  "28/REQREP": {
    "The REQ Socket Type": {
      "REQREP-01": "A REQ socket gets the reply to its last request, in lock-step.",
    },
    "The REP Socket Type": {
      "REQREP-02": "The envelope of a request MUST go back before its reply, unchanged.",
      "REQREP-03": "The envelope ends at the first empty frame.",
      "REQREP-04": "The application sees the frames after the envelope only.",
      "REQREP-05": "A reply MUST go to the connection of its request.",
    },
    "The DEALER Socket Type": {
      "REQREP-06": "A DEALER may have many requests outstanding, answered in any order.",
      "REQREP-07": "Our client sends a request number as its envelope, and matches replies by it.",
    },
    "The ROUTER Socket Type": {
      "REQREP-08": "Each connection has an address of its own, also behind proxies.",
      "REQREP-09": "A peer SHOULD be able to choose its address with the Identity property.",
      "REQREP-10": "Sending MUST NOT block: a peer that does not read delays no other.",
    },
  },
  "23/ZMTP and 37/ZMTP": {
    "Version Negotiation": {
      "ZMTP-01": "The greeting is 64 bytes: signature, version 3, mechanism, as-server 0, zeros.",
      "ZMTP-02": "A peer MUST accept higher versions, and MUST NOT interpret the padding.",
      "ZMTP-03": "A peer that cannot downgrade MUST close the connection of an older version.",
    },
    "Authentication and Confidentiality": {
      "ZMTP-04": "A peer MUST close a connection whose mechanism is not its own.",
    },
    "Error Handling": {
      "ZMTP-05": "A connection that fails affects no other connection.",
    },
    Framing: {
      "ZMTP-06": "Short and long frames carry the same messages, wherever TCP cuts them.",
      "ZMTP-07": "A message arrives with all of its frames, or not at all.",
    },
    "The NULL Security Mechanism": {
      "ZMTP-08": "A valid READY MUST be answered with READY.",
    },
    "Connection Metadata": {
      "ZMTP-09": "READY names the socket type; a peer SHOULD close if the types do not fit.",
    },
    "Connection Heartbeating": {
      "ZMTP-10": "PING MUST be answered with PONG and its context.",
    },
  },
} as const;

/** Requirements that we do not meet as written, with the heading of the paragraph that says why. */
export const DEVIATIONS: Partial<Record<RequirementId, string>> = {
  "MDP1-B-15": "No REPLY to a refused request",
  "MDP1-B-16": "Credit in READY",
  "MDP1-W-04": "Probes before READY",
  "MDP1-B-26": "DISCONNECT to each command of a removed worker",
  "MDP1-B-31": "REPLY without the delimiter",
  "MDP1-B-32": "Request ids in the client address frame",
  "MDP2-B-02": "Dialects on one port",
  "MDP2-B-04": "An envelope in MDP 0.2",
  "MMI-08": "200 for capabilities",
};

/** Our extensions of the specifications, by the id in the titles of their tests. */
export const EXTENSIONS = {
  "X-CALL": "mmi.call: a status for each request",
  "X-CREDIT": "Credit and request ids",
  "X-STREAM": "Streams across dialects",
  "X-TEXT": "Text dialect",
  "X-ERROR": "Error replies",
  "X-STATS": "Statistics",
  "X-LIMITS": "Limits",
} as const;

type KeysOf<T> = T extends T ? keyof T : never;
type ValuesOf<T> = T extends T ? T[keyof T] : never;

export type RequirementId = KeysOf<ValuesOf<ValuesOf<typeof SPECIFICATIONS>>>;
export type CaseId = RequirementId | keyof typeof EXTENSIONS;

export type Requirement = {
  id: RequirementId;
  specification: keyof typeof SPECIFICATIONS;
  clause: string;
  text: string;
};

/** All requirements, in the order of the specifications. */
export const REQUIREMENTS: Requirement[] = Object.entries(SPECIFICATIONS).flatMap(
  ([specification, clauses]) =>
    Object.entries(clauses).flatMap(([clause, requirements]) =>
      Object.entries<string>(requirements).map(([id, text]) => ({
        id: id as RequirementId,
        specification: specification as keyof typeof SPECIFICATIONS,
        clause,
        text,
      })),
    ),
);

/** The id at the beginning of a test's title, if there is one. */
export function idOf(title: string): CaseId | undefined {
  const [id = ""] = title.split(" ");
  const isKnown = id in EXTENSIONS || REQUIREMENTS.some((requirement) => requirement.id === id);
  return isKnown ? (id as CaseId) : undefined;
}
