// Chooses the READY that opens a conversation. A READY with more frames than 7/MDP has goes only to
// a broker that has shown that it takes them, since strict brokers reject it or abort. So the worker
// first sends probes (protocol/capabilities.ts), and their replies choose:
//
//   200 to `mmi.ready`       extended: our dialect, credit and keys
//   200 to `mmi.call` only   with credit, as for a broker of 0.1.0: our dialect, credit
//   any other reply          plain: exactly the frames of 7/MDP
//   no reply in time         plain
//
// Probes go out on each connection, because another broker may be behind the address by now. A broker
// may reject the probes themselves, so after DISCONNECT or a break instead of replies the next
// conversation begins with a plain READY. At an address that once replied 200, one such break may be
// the restart of a broker, and the second in a row counts.
//
// A plain READY that two brokers in a row leave without an answer may be in the wrong dialect. Then
// the next conversations begin with a READY in 18/MDP, if the worker streams, then with one in the
// text dialect, and then with the probes again.

import { type Capability, encodeProbe } from "../protocol/capabilities.ts";
import { type Dialect, MDP_0_1, MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import type { Frame } from "../protocol/frame.ts";
import type { About } from "../protocol/ready.ts";

/** One form of READY. */
export type ReadyForm = {
  dialect: Dialect;
  /** Whether READY has the credit, a frame that 7/MDP does not have. */
  hasCredit: boolean;
  /** Null: without keys, so that neither side sends metadata or pairs. */
  about: About | null;
};

export type ReadyChoiceOptions = {
  /** Whether replies may come in parts, which takes 18/MDP. */
  streams: boolean;
  /** The keys of a READY that may have them. */
  about: About;
  /** Whether to send no probes, and so no READY but those of the RFCs. */
  plainOnly: boolean;
  /** The lease of the broker, in ms. */
  leaseMs: number;
};

/** The probes, in the order in which they are sent and replied to. */
const PROBES = ["mmi.ready", "mmi.call"] as const satisfies Capability[];

/** How long a worker waits for the replies at an address that never replied 200, in ms. */
export const PROBE_MS = 1000;

/** The messages of the probes, in order. */
export const probeMessages = (): Frame[][] => PROBES.map(encodeProbe);

const PLAIN: ReadyForm = { dialect: MDP_0_1, hasCredit: false, about: null };

export class ReadyChoice {
  #options: ReadyChoiceOptions;
  #own: Dialect;
  #openings: ("probes" | ReadyForm)[];
  #index = 0; // Of the opening of the next conversation.
  #replies: number = PROBES.length; // To the probes of this conversation.
  #form: ReadyForm | null = null; // The last READY that was chosen; null before it.
  #probesWorked = false; // This address has replied 200.
  #breaks = 0; // In a row, instead of replies to probes.

  constructor(options: ReadyChoiceOptions) {
    const { streams, plainOnly } = options;
    this.#options = options;
    this.#own = streams ? MDP_0_2 : MDP_0_1;
    const first = plainOnly ? PLAIN : "probes";
    const inParts = streams ? [{ ...PLAIN, dialect: MDP_0_2 }] : [];
    this.#openings = [first, first, ...inParts, { ...PLAIN, dialect: MDP_0_1_TEXT }];
  }

  /** Begins a conversation. Returns its READY, or null if the probes must go out first. */
  begin(): ReadyForm | null {
    const opening = this.#openings[this.#index] ?? "probes";
    const isRejected = this.#breaks >= (this.#probesWorked ? 2 : 1);
    this.#replies = PROBES.length;
    this.#form = opening === "probes" ? null : opening;
    if (this.#form) return this.#form;
    if (isRejected) return this.unanswered();
    this.#replies = 0;
    return null;
  }

  /** How long the probes may stay without replies, in ms. */
  get probeMs(): number {
    return this.#probesWorked ? Math.max(PROBE_MS, this.#options.leaseMs) : PROBE_MS;
  }

  /**
   * The broker replied to the next probe. Returns the READY that this chooses, or null: the choice
   * needs another reply, or it stays. A READY that was sent already is one with fewer frames.
   */
  replied(has: boolean): ReadyForm | null {
    const probe = PROBES[this.#replies];
    this.#replies += 1;
    if (probe === undefined || this.#form?.hasCredit) return null;
    if (has) return this.#extend(probe);
    return this.#form || probe === "mmi.ready" ? null : this.unanswered();
  }

  /** The probes have no replies in time, or the broker has neither capability. */
  unanswered(): ReadyForm {
    this.#breaks = 0;
    this.#form = PLAIN;
    return PLAIN;
  }

  /** The conversation ended before replies to the probes. */
  brokeOff() {
    this.#breaks += 1;
  }

  /** The broker sent a command. The next conversation begins with the probes: it may be new. */
  understood() {
    this.#index = 0;
  }

  /** The broker had a connection, and did not answer READY. */
  notUnderstood() {
    const isPlain = this.#form?.hasCredit === false;
    this.#index = isPlain ? (this.#index + 1) % this.#openings.length : 0;
  }

  #extend(probe: (typeof PROBES)[number]): ReadyForm {
    const { about } = this.#options;
    this.#probesWorked = true;
    this.#breaks = 0;
    this.#index = 0;
    this.#form = {
      dialect: this.#own,
      hasCredit: true,
      about: probe === "mmi.ready" ? about : null,
    };
    return this.#form;
  }
}
