// Lets a test of the client read as a dialog in the shorthand of 7/MDP: what the caller asks, what
// the broker says, what time does, and what the LazyPirate wants done.

import { CALL, type Call, type CallOptions, decodeCall, encodeStatus } from "../protocol/call.ts";
import { MDP_0_1 as dialect, MDP_0_2 } from "../protocol/dialects.ts";
import type { Frame } from "../protocol/frame.ts";
import { type ClientCommand, decode, encode } from "../protocol/mdp.ts";
import { ClientSession, type Effect, type Outcome } from "./session.ts";

export const SILENCE_MS = 1000;
const MMI = Buffer.from("mmi.service");
export const frames = (...values: string[]): Frame[] => values.map((value) => Buffer.from(value));

/** `says`: what the broker answers at once when it is asked, on a new socket, whether it knows calls. */
export function dialog({ random = 1, says = "200" as string | null } = {}) {
  let now = 0;
  let saying = says;
  let ids = 0;
  const newId = () => `the call's own id, ${++ids}`;
  const pirate = new ClientSession({
    silenceMs: SILENCE_MS,
    tries: 3,
    random: () => random,
    newId,
  });
  type Asked = { envelope: Frame[]; options: CallOptions | null };
  const asked = new Map<string, Asked>(); // By "service body", as last sent; a call has options.

  function show(effects: Effect[]): string[] {
    const lines: string[] = effects.map((effect) => {
      if (effect.do === "send") return `> ${remember(effect.frames)}`;
      if (effect.do === "part") return `${effect.id} part: ${effect.body.join(" ")}`;
      return effect.do === "settle" ? `${effect.id} ${say(effect.outcome)}` : effect.do;
    });
    const first = lines.lastIndexOf("connect") + 1;
    if (saying === null || first === 0 || lines[first] !== `> ${PROBE}`) return lines;
    return [...lines.toSpliced(first, 1), ...receive(PROBE, MMI, frames(saying))];
  }

  function remember(frames: Frame[]): string {
    const command = decode(frames);
    if (command.header !== "client") throw new Error("the client sent what no client says");
    const call = callIn(command);
    const { service, body } = call ?? command;
    const text = [service, ...body].join(" ");
    asked.set(text, { envelope: command.envelope, options: call?.options ?? null });
    return call || text.startsWith("mmi.") ? text : `${text}, plainly`;
  }

  function receive(to: string, service: Frame, body: Frame[]): string[] {
    const envelope = asked.get(to)?.envelope ?? [];
    return show(
      pirate.receive(
        encode({ header: "client", name: "REPLY", dialect, envelope, service, body }),
        now,
      ),
    );
  }

  const answer = (to: string, ...body: Frame[]) => receive(to, CALL, body);

  return {
    pirate,
    /** From now on the broker says nothing to what it is asked on a new socket. */
    fallsSilent() {
      saying = null;
    },
    /** The options of the call as which this was asked last, or null if it was asked plainly. */
    callOf: (text: string) => asked.get(text)?.options ?? null,
    answer,
    refuse: (to: string, status: number, reason: string) =>
      answer(to, ...encodeStatus(status, reason)),
    brokerSays(to: string, body: string) {
      const frames = [Buffer.from(body)];
      if (asked.get(to)?.options) return answer(to, ...encodeStatus(200, frames));
      return receive(to, Buffer.from(to.split(" ")[0] ?? ""), frames);
    },
    /** A command of 0.2, about a call. */
    brokerSends(to: string, name: "PARTIAL" | "REPLY", ...body: string[]) {
      const { envelope = [] } = asked.get(to) ?? {};
      const command = {
        header: "client",
        dialect: MDP_0_2,
        name,
        envelope,
        service: CALL,
      } as const;
      return show(pirate.receive(encode({ ...command, body: frames(...body) }), now));
    },
    asksInParts(service: string, body: string, timeoutMs = 60_000) {
      const deadline = now + timeoutMs;
      const request = [Buffer.from(service), frames(body), deadline, now] as const;
      return show(pirate.request(...request, { inParts: true })[1]);
    },
    asks(service: string, body: string, timeoutMs = 60_000, id?: string) {
      const frames = [Buffer.from(body)];
      return show(
        pirate.request(Buffer.from(service), frames, now + timeoutMs, now, { callId: id })[1],
      );
    },
    opens: () => pirate.opened(now),
    breaks: () => show(pirate.gone(now)),
    waits(ms: number) {
      const lines: string[] = [];
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + 25);
        lines.push(...show(pirate.tick(now)));
      }
      return lines;
    },
  };
}

function callIn({ service, body }: ClientCommand): Call | null {
  const call = decodeCall(body);
  return service.equals(CALL) && !("reason" in call) ? call : null;
}

function say(outcome: Outcome): string {
  if ("reply" in outcome) return outcome.reply.join(" ");
  return "refused" in outcome ? `${outcome.refused}: ${outcome.sentence}` : outcome.failed;
}

export const PROBE = "mmi.service mmi.call";
