// A worker's session in a dialog: commands of the broker, time that passes, and the effects of the
// session in the shorthand of 7/MDP.

import { type Dialect, MDP_0_1 } from "../protocol/dialects.ts";
import { type Frame, toFrame } from "../protocol/frame.ts";
import { decode, encode, type WorkerCommand } from "../protocol/mdp.ts";
import type { Pair } from "../protocol/pairs.ts";
import { requestId } from "../protocol/request-id.ts";
import { type SessionEvent, sentenceOf } from "./events.ts";
import { WorkerSession } from "./session.ts";
import type { InFlightRequest, WorkerEffect } from "./session-model.ts";

export const INTERVAL_MS = 1000;
export const LEASE_MS = 3000;

/** The commands of a broker in this dialect. */
export const inDialect = (dialect: Dialect) => ({
  heartbeat: encode({ header: "worker", dialect, name: "HEARTBEAT" }),
  disconnect: encode({ header: "worker", dialect, name: "DISCONNECT" }),
  request: (client: string, body: string, encoding: BufferEncoding = "utf8") =>
    encode({
      header: "worker",
      dialect,
      name: "REQUEST",
      client: Buffer.from(client, encoding),
      body: [Buffer.from(body)],
    }),
});

export const { heartbeat, disconnect, request } = inDialect(MDP_0_1);

/** The replies of a broker to the probes for `mmi.ready` and `mmi.call`. */
export type Replies = readonly string[];

export const OF_0_2_0: Replies = ["200", "200"];
export const OF_0_1_0: Replies = ["404", "200"];
export const OF_7_MDP: Replies = ["404", "404"];
export const NONE: Replies = [];

const probeReply = (code: string) => ["", "MDPC01", "mmi.service", code].map(toFrame);

type DialogOptions = {
  /** The concurrency. */
  credit?: number;
  timeLimitMs?: number;
  random?: number;
  /** The replies of the worker may come in parts. */
  streams?: boolean;
  /** READY goes out without probes. */
  plainReady?: boolean;
  /** The broker's replies to the probes of each connection, at once; null: the test sends them. */
  replies?: Replies | null;
};

/** A session and its clock, by default with a broker of 0.1.0. */
export function dialog(options: DialogOptions = {}) {
  const {
    credit = 2,
    timeLimitMs = 60_000,
    random = 1,
    streams = false,
    plainReady = false,
  } = options;
  let replies = options.replies === undefined ? OF_0_1_0 : options.replies;
  let now = 0;
  const session = new WorkerSession(
    {
      broker: "tcp://broker:5555",
      service: "echo",
      name: "host:1",
      credit,
      streams,
      plainReady,
      timeLimitMs,
      messageBytesMax: 10_000,
      heartbeat: { intervalMs: INTERVAL_MS, liveness: 3 },
      random: () => random,
    },
    now,
  );
  const inFlight: InFlightRequest[] = [];
  const logged: SessionEvent[] = [];

  function show(effects: WorkerEffect[]): string[] {
    return effects.flatMap((effect) => {
      if (effect.do === "log") {
        logged.push(effect.entry);
        return [];
      }
      if (effect.do === "send" && isProbe(effect.frames)) return probed(effect.frames);
      if (effect.do === "send") return [`> ${shown(effect.frames)}`];
      if (effect.do === "serve") {
        inFlight.push(effect.request);
        return [`serve ${effect.request.body.join(" ")}`];
      }
      return [
        effect.do === "abort" ? `abort ${effect.request.client}: ${effect.reason}` : effect.do,
      ];
    });
  }

  /** The replies come after both probes. */
  function probed(frames: Frame[]): string[] {
    if (replies === null) return [`> ${frames[3]}?`];
    if (String(frames[3]) === "mmi.ready") return [];
    session.opened(now);
    return replies.flatMap((code) => show(session.receive(probeReply(code), now)));
  }

  function waits(ms: number): string[] {
    const lines: string[] = [];
    for (const end = now + ms; now < end; ) {
      now = Math.min(end, now + INTERVAL_MS / 10);
      lines.push(...show(session.tick(now)));
    }
    return lines;
  }

  /** Waits for the next conversation and returns its READY. */
  function reopens(): string {
    for (let turn = 0; turn < 100; turn += 1) {
      const opening = waits(INTERVAL_MS / 10).find((line) => line.startsWith("> READY"));
      if (opening) return opening;
    }
    throw new Error("the session opened no other conversation");
  }

  const frames = (body: string[]) => body.map((frame) => Buffer.from(frame));

  return {
    session,
    /** All requests that were served. */
    requests: () => inFlight,
    logs: () => logged,
    starts: () => show(session.tick(now)),
    brokerSends: (frames: Frame[]) => show(session.receive(frames, now)),
    opens: () => session.opened(now),
    /** Another broker is behind the address from now on. */
    becomes: (next: Replies) => {
      replies = next;
    },
    /** The broker replies to the next probe. */
    replies: (code: string) => show(session.receive(probeReply(code), now)),
    /** Bytes of a long message of the broker arrive. */
    brokerSendsBytes: () => session.alive(now),
    breaks: () => show(session.gone(now)),
    /** Returns the log entries of a failed attempt to connect. */
    failsToConnect: (code: string) =>
      session
        .failed({ code, message: `connect ${code}`, retryMs: 77 }, now)
        .map((effect) => (effect.do === "log" ? sentenceOf(effect.entry) : effect.do)),
    drains: () => show(session.drain(now)),
    answers: (nth: number, ...body: string[]) =>
      show(session.reply(inFlight[nth] as InFlightRequest, frames(body), now)),
    /** A handler yields a part of its reply. */
    yields: (nth: number, ...body: string[]) =>
      show(session.partial(inFlight[nth] as InFlightRequest, frames(body), now)),
    waits,
    /** The broker stays silent until the next conversation, whose READY is returned. */
    brokerIsSilent({ connected = true } = {}) {
      if (connected) session.opened(now);
      return reopens();
    },
    reopens,
    freezes(ms: number) {
      now += ms;
      return show(session.tick(now));
    },
  };
}

const isProbe = (frames: Frame[]) => String(frames[2]) === "mmi.service";

function shown(frames: Frame[]): string {
  const command = decode(frames, true);
  if (command.header !== "worker") throw new Error("the session sent no worker command");
  const { dialect } = command;
  const words = [command.name, ...shownRest(command)].join(" ");
  return dialect === MDP_0_1 ? words : `${words} (${dialect.name})`;
}

function shownRest(command: WorkerCommand): unknown[] {
  if (command.name === "READY") {
    const { service, credit, about } = command;
    const keys = about ? [`name=${about.name}`, `knows=${[...about.knows]}`] : [];
    return [service, credit ?? "without a credit", ...keys];
  }
  if (command.name === "HEARTBEAT") return (command.pairs ?? []).map(shownPair);
  return "client" in command ? [command.client, ...command.body] : [];
}

function shownPair(pair: Pair): string {
  if (pair.name === "limit") return `limit ${pair.limit}`;
  const addresses = "addresses" in pair ? pair.addresses : [];
  return [pair.name, ...addresses.map((address) => requestId(address))].join(" ");
}
