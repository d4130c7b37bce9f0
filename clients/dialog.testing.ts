// For tests: a client session as a dialog. Each function is one event (a request, a message from
// the broker, a connection event, time) and returns the session's effects, one short line each.

import { CALL, type Call, decodeCall, encodeStatus } from "../protocol/call.ts";
import type { CallOptions } from "../protocol/call-options.ts";
import { MDP_0_1 as dialect, MDP_0_2 } from "../protocol/dialects.ts";
import type { Frame } from "../protocol/frame.ts";
import { type ClientCommand, decode, encode } from "../protocol/mdp.ts";
import type { Outcome } from "./outcome.ts";
import { ClientSession, type Effect } from "./session.ts";

export const SILENCE_MS = 1000;
const MMI_SERVICE = Buffer.from("mmi.service");
export const frames = (...values: string[]): Frame[] => values.map((value) => Buffer.from(value));

/**
 * Starts a dialog. The broker answers the capability probe on each new socket with `probeReply`, at
 * once; null: it does not answer, and the probe appears among the effects.
 */
export function dialog({ random = 1, probeReply = "200" as string | null } = {}) {
  let now = 0;
  let currentProbeReply = probeReply;
  let ids = 0;
  const newId = () => `the id of call ${++ids}`;
  const session = new ClientSession({
    silenceMs: SILENCE_MS,
    tries: 3,
    random: () => random,
    newId,
  });
  type Sent = { envelope: Frame[]; options: CallOptions | null };
  const sent = new Map<string, Sent>(); // By "service body", as last sent; a call has options.

  function show(effects: Effect[]): string[] {
    const lines: string[] = effects.map((effect) => {
      if (effect.do === "send") return `> ${remember(effect.frames)}`;
      if (effect.do === "part") return `${effect.id} part: ${effect.body.join(" ")}`;
      return effect.do === "settle" ? `${effect.id} ${textOf(effect.outcome)}` : effect.do;
    });
    const first = lines.lastIndexOf("connect") + 1;
    if (currentProbeReply === null || first === 0 || lines[first] !== `> ${PROBE}`) return lines;
    return [
      ...lines.toSpliced(first, 1),
      ...receive(PROBE, MMI_SERVICE, frames(currentProbeReply)),
    ];
  }

  function remember(frames: Frame[]): string {
    const command = decode(frames);
    if (command.header !== "client") throw new Error("the session sent no client command");
    const call = callIn(command);
    const { service, body } = call ?? command;
    const text = [service, ...body].join(" ");
    sent.set(text, { envelope: command.envelope, options: call?.options ?? null });
    return call || text.startsWith("mmi.") ? text : `${text}, plain`;
  }

  function receive(to: string, service: Frame, body: Frame[]): string[] {
    const envelope = sent.get(to)?.envelope ?? [];
    return show(
      session.receive(
        encode({ header: "client", name: "REPLY", dialect, envelope, service, body }),
        now,
      ),
    );
  }

  const brokerAnswers = (to: string, ...body: Frame[]) => receive(to, CALL, body);

  return {
    session,
    show,
    /** From now on the broker does not answer the capability probe on a new socket. */
    fallsSilent() {
      currentProbeReply = null;
    },
    /** The options of the call that carried this request last, or null for a plain request. */
    callOf: (text: string) => sent.get(text)?.options ?? null,
    /** The broker answers a call with any body. */
    brokerAnswers,
    /** The broker rejects a call. */
    brokerRejects: (to: string, status: number, reason: string) =>
      brokerAnswers(to, ...encodeStatus(status, reason)),
    /** The broker sends the service's reply, to a call with the status 200 before it. */
    brokerReplies(to: string, body: string) {
      const frames = [Buffer.from(body)];
      if (sent.get(to)?.options) return brokerAnswers(to, ...encodeStatus(200, frames));
      return receive(to, Buffer.from(to.split(" ")[0] ?? ""), frames);
    },
    /** The broker sends a command of 0.2 about a call. */
    brokerSends(to: string, name: "PARTIAL" | "REPLY", ...body: string[]) {
      const { envelope = [] } = sent.get(to) ?? {};
      const command = {
        header: "client",
        dialect: MDP_0_2,
        name,
        envelope,
        service: CALL,
      } as const;
      return show(session.receive(encode({ ...command, body: frames(...body) }), now));
    },
    request(service: string, body: string, timeoutMs = 60_000, callId?: string) {
      const parameters = [Buffer.from(service), frames(body), now + timeoutMs, now] as const;
      return show(session.request(...parameters, { callId })[1]);
    },
    /** As request(), for a caller that accepts a reply in parts. */
    requestParts(service: string, body: string, timeoutMs = 60_000) {
      const parameters = [Buffer.from(service), frames(body), now + timeoutMs, now] as const;
      return show(session.request(...parameters, { inParts: true })[1]);
    },
    cancels: (id: number) => show(session.cancel(id)),
    opens: () => session.opened(now),
    failsToConnect: (code: string, message = code) =>
      session.failed({ code, message, retryMs: 100 }),
    /** The broker gives a sign of life that is no message. */
    brokerIsAlive: () => session.alive(now),
    breaks: () => show(session.gone(now)),
    /** The process of the client does not run for so many ms. */
    freezes(ms: number) {
      now += ms;
      return show(session.tick(now));
    },
    waits(ms: number) {
      const lines: string[] = [];
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + 25);
        lines.push(...show(session.tick(now)));
      }
      return lines;
    },
  };
}

function callIn({ service, body }: ClientCommand): Call | null {
  const call = decodeCall(body);
  return service.equals(CALL) && !("reason" in call) ? call : null;
}

function textOf(outcome: Outcome): string {
  if ("reply" in outcome) return outcome.reply.join(" ");
  if ("refused" in outcome) return `${outcome.refused}: ${outcome.sentence}`;
  const hasReason = outcome.failed === "no broker" && outcome.reason !== null;
  return hasReason ? `${outcome.failed} (${outcome.reason})` : outcome.failed;
}

export const PROBE = "mmi.service mmi.call";
