// The state that an oracle of the broker keeps: the accepted requests and the registered workers.

import type { Ending } from "../../broker/vocabulary.ts";
import { decodeCall, decodeStatus, STATUS } from "../../protocol/call.ts";
import { type Dialect, streams } from "../../protocol/dialects.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import type { ClientCommand } from "../../protocol/mdp.ts";
import type { About } from "../../protocol/ready.ts";
import type { ModelQueue } from "./model-queue.ts";
import { Violation } from "./violation.ts";

export type ServiceQueue = ModelQueue<ModelRequest, Registered>;

/** A request that the broker has accepted. */
export type ModelRequest = {
  name: string; // The name in the first body frame.
  number: number; // Position in the order of arrival.
  client: Address; // The client that asked first.
  replyTo: ReplyTo | null; // The reply-to of the outcome; null: no client waits.
  earlier: ReplyTo[]; // The callers to fall back on when the current one goes away, oldest first.
  call: boolean; // Sent as mmi.call: the client gets every outcome, refusals too.
  callId: string | null;
  queue: ServiceQueue;
  body: Frame[];
  expiry: number;
  waitBy: number; // The time at which it ends if the service has had no worker; or Infinity.
  lingerMs: number; // How long it stays open without a client; or Infinity.
  lingerBy: number; // The time at which it ends unless a client asks again; or Infinity.
  id: string | null; // The request id that workers with credit get; null before the first delivery.
  deliveries: number;
  deaths: number; // Its workers that were removed, unless they left or were only silent.
  waits: boolean; // It had its last delivery, and only a late answer can settle it.
  worker: Registered | null; // The worker that has the request in flight; null while it is queued.
  suspicion: ModelSuspicion | null; // Null: none of its workers died.
  parts: Frame[]; // The frames of the parts that the worker has answered.
  begun: boolean; // The client has received a part.
  cut: boolean; // The parts may exceed the bytes that the broker keeps.
  ended: Ending | null;
  endedAt: number;
  // When its worker sent the last part after the request had ended; or -Infinity.
  goneOnAt: number;
  // The number of requests that the service had served before this one was queued.
  servedBefore: number;
};

/** The state of a request whose worker died. */
export type ModelSuspicion = {
  charges: number; // The deaths that count against it.
  names: Set<string>; // Of the workers that died with it.
  isLast: boolean; // Its next delivery, or the one in flight, is the last.
  at: number; // The time of the latest death, or of the latest delivery since.
};

export type Registered = {
  address: Address;
  queue: ServiceQueue; // The queue of its service.
  dialect: Dialect; // The dialect of its READY.
  credit: number;
  plain: boolean;
  about: About | null; // The keys of its READY.
  holds: Map<string, ModelRequest>; // The requests in flight, by client frame.
  // Order of changes: of two workers with equal load, the lower number is served first.
  seated: number;
  registeredAt: number;
  newcomerUntil: number; // It is a newcomer for certain; or -Infinity.
  mayBeNewcomerUntil: number;
  hasReplied: boolean;
  keepsDying: boolean; // So do the workers of its name.
  hasChangedPlace: boolean; // Its place among the others depends on more than its load.
  alone: { request: ModelRequest; until: number } | null; // It may have no other request.
  heardAt: number;
  toldAt: number;
};

/** `progress`: its latest message for this request wanted progress. */
export type ReplyTo = {
  address: Address;
  envelope: Frame[];
  dialect: Dialect;
  progress?: boolean;
};

/** The request for a worker that a client's command carries. */
export type Submission = {
  service: string;
  ttl: number | null; // In ms; null: the broker's default.
  call: boolean;
  callId: string | null;
  progress: boolean;
  wait: number | null; // In ms, as the option.
  linger: number | null; // In ms, as the option.
  body: Frame[];
};

/** Returns null for a command that needs no worker. */
export function submissionOf({ service: frame, body }: ClientCommand): Submission | null {
  const service = frame.toString("latin1");
  if (!service.startsWith("mmi.")) return { ...PLAIN, service, body };
  if (service !== "mmi.call") return null;
  const call = decodeCall(body);
  if ("reason" in call) return null;
  const { ttl = null, id = null, wait = null, linger = null, progress = false } = call.options;
  const options = { ttl, callId: id, progress, wait, linger };
  return { service: call.service.toString("latin1"), ...options, call: true, body: call.body };
}

const PLAIN = { ttl: null, call: false, callId: null, progress: false, wait: null, linger: null };

/** Returns the key of a reply-to: the address and the envelope frames of its reply. */
export const replyToKey = ({ address, envelope }: Omit<ReplyTo, "dialect">) =>
  [address, ...envelope.map((frame) => frame.toString("latin1"))].join("\n");

/** Returns whether the outcome is for this reply-to; throws a Violation if the dialect differs. */
export function isReplyTo({ name, replyTo }: ModelRequest, told: ReplyTo): boolean {
  if (!replyTo || replyToKey(replyTo) !== replyToKey(told)) return false;
  if (replyTo.dialect === told.dialect) return true;
  throw new Violation("S11", `the client of ${name} got a message in ${told.dialect.name}`);
}

/** Returns whether the client got the service's own reply, and no refusal by the broker. */
export const isReply = ({ call }: ModelRequest, told: Frame[]) =>
  call ? (decodeStatus(told)?.status ?? 0) < 300 : decodeErrorReply(told) === null;

/** Returns the status of a refusal, or null for a reply. */
export function refusalOf({ call }: Pick<ModelRequest, "call">, told: Frame[]): number | null {
  const { status, body } = decodeStatus(told) ?? {};
  if (call) return status !== undefined && body?.length === 1 ? status : null;
  return decodeErrorReply(told)?.code ?? null;
}

/** Returns whether both lists hold equal frames. */
export const same = (some: Frame[], others: Frame[]) =>
  some.length === others.length &&
  some.every((frame, at) => frame === others[at] || frame.equals(others[at] as Frame));

/** Returns an upper bound of the bytes that keeping these frames costs. */
export const framesAtMost = (frames: Frame[]) => sizeOf(frames) + 100 * frames.length;

/** Returns an upper bound of the bytes that keeping a request with these frames costs. */
export const weightAtMost = (frames: Frame[]) => framesAtMost(frames) + 800;

/** Returns whether the broker refused a call because its reply exceeds the bytes it keeps. */
export const isTooLong = (told: Frame[]) => refusalOf({ call: true }, told) === STATUS.failed;

/**
 * Returns whether the broker keeps the reply: for a client without parts, or for a call that may be
 * asked again.
 */
export const isKept = ({ callId, replyTo }: ModelRequest) =>
  callId !== null || !replyTo || !streams(replyTo.dialect);

/** Returns an upper bound of the bytes that all frames of a request cost. */
export const weightOfAll = (request: ModelRequest) =>
  weightAtMost(request.body) +
  (isKept(request) ? framesAtMost(request.parts) : 0) +
  CALLER_WEIGHT_AT_MOST * request.earlier.length;

/** An upper bound of the bytes that keeping one more caller costs. */
export const CALLER_WEIGHT_AT_MOST = 1000;

/** Returns the request's name, cut to 40 characters for messages. */
export const nameOf = (body: Frame[]) => String(body[0]).slice(0, 40);
