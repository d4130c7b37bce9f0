// What a witness of the broker knows: the requests that it took and the workers that it registered.

import type { Outcome } from "../../broker/vocabulary.ts";
import { decodeCall, decodeStatus, STATUS } from "../../protocol/call.ts";
import { type Dialect, streams } from "../../protocol/dialects.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import type { ClientCommand } from "../../protocol/mdp.ts";
import type { Line } from "./line.ts";
import { Violation } from "./violation.ts";

export type ServiceLine = Line<Asked, Registered>;

/** A request that the broker has taken. */
export type Asked = {
  name: string; // What its body says that it is called.
  number: number; // In the order of arrival.
  client: Address; // Who asked first.
  asker: Asker | null; // Who is to be told; null: nobody.
  earlier: Asker | null; // Who is, should that one go away.
  call: boolean; // By mmi.call, so that its asker is told any outcome.
  callId: string | null;
  line: ServiceLine;
  body: Frame[];
  expiry: number;
  id: string | null; // What workers with a credit know it by, once one has been given it.
  deliveries: number;
  worker: Registered | null; // Who has it, if it does not wait.
  alone: boolean; // Its worker may have nothing else.
  parts: Frame[]; // What its worker has answered so far.
  begun: boolean; // Its asker has been sent a part of that.
  cut: boolean; // That may have become too much for the broker to keep.
  ended: Outcome | null;
  servedBefore: number; // How many of its service were served before it waited.
};

export type Registered = {
  address: Address;
  line: ServiceLine; // Of its service.
  dialect: Dialect; // What its READY spoke.
  credit: number;
  plain: boolean;
  holds: Map<string, Asked>; // What it has not answered, by client frame.
  seated: number; // Of two workers with as much to do, the lower one is served first.
  heardAt: number;
  toldAt: number;
};

export type Asker = { address: Address; envelope: Frame[]; dialect: Dialect };

/** What a command of a client's asks of a worker. */
export type Wish = {
  service: string;
  ttl: number | null; // Null: the broker's own.
  call: boolean;
  callId: string | null;
  body: Frame[];
};

/** Null: nothing of a worker's. */
export function wishOf({ service: frame, body }: ClientCommand): Wish | null {
  const service = frame.toString("latin1");
  if (!service.startsWith("mmi.")) return { service, ttl: null, call: false, callId: null, body };
  if (service !== "mmi.call") return null;
  const call = decodeCall(body);
  if ("reason" in call) return null;
  const { ttl = null, id = null } = call.options;
  return { service: call.service.toString("latin1"), ttl, call: true, callId: id, body: call.body };
}

/** Names an asker: an address, and what stands before the reply. */
export const askerKey = ({ address, envelope }: Omit<Asker, "dialect">) =>
  [address, ...envelope.map((frame) => frame.toString("latin1"))].join("\n");

/** Whether it is for this asker that its outcome is; in another dialect it must not be. */
export function isAsker({ name, asker }: Asked, told: Asker): boolean {
  if (!asker || askerKey(asker) !== askerKey(told)) return false;
  if (asker.dialect === told.dialect) return true;
  throw new Violation("S11", `the asker of ${name} was told something in ${told.dialect.name}`);
}

/** Whether its asker was told what a service says, and no refusal. */
export const isReply = ({ call }: Asked, told: Frame[]) =>
  call ? (decodeStatus(told)?.status ?? 0) < 300 : decodeErrorReply(told) === null;

/** What its asker was told that there is no reply for. */
export function refusalOf({ call }: Pick<Asked, "call">, told: Frame[]): number | null {
  const { status, body } = decodeStatus(told) ?? {};
  if (call) return status !== undefined && body?.length === 1 ? status : null;
  return decodeErrorReply(told)?.code ?? null;
}

/** Whether these are the same frames. */
export const same = (some: Frame[], others: Frame[]) =>
  some.length === others.length &&
  some.every((frame, at) => frame === others[at] || frame.equals(others[at] as Frame));

/** More than such frames can cost to keep. */
export const framesAtMost = (frames: Frame[]) => sizeOf(frames) + 100 * frames.length;

/** More than a request can cost to keep that has such frames. */
export const weightAtMost = (frames: Frame[]) => framesAtMost(frames) + 600;

/** Whether a call was told that its reply is more than the broker keeps: not the service says so. */
export const isTooLong = (told: Frame[]) => refusalOf({ call: true }, told) === STATUS.failed;

/** Whether what its worker answers is kept: for who takes no parts, and for who may ask again. */
export const isKept = ({ callId, asker }: Asked) =>
  callId !== null || !asker || !streams(asker.dialect);

/** More than it can cost to keep all that the broker has of it. */
export const weightOfAll = (asked: Asked) =>
  weightAtMost(asked.body) + (isKept(asked) ? framesAtMost(asked.parts) : 0);

/** For a person to read. */
export const nameOf = (body: Frame[]) => String(body[0]).slice(0, 40);
