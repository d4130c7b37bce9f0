// What a witness of the broker knows: the requests that it took and the workers that it registered.

import { decodeCall } from "../../protocol/call.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import type { ClientCommand } from "../../protocol/mdp.ts";
import type { Line } from "./line.ts";

/** A request that the broker has taken. */
export type Asked = {
  name: string; // What its body says that it is called.
  number: number; // In the order of arrival.
  client: Address; // Who asked first.
  asker: Asker | null; // Who is to be told; null: nobody.
  call: boolean; // By mmi.call, so that its asker is told any outcome.
  callId: string | null;
  line: Line;
  body: Frame[];
  expiry: number;
  id: string | null; // What workers with a credit know it by, once one has been given it.
  deliveries: number;
  worker: Registered | null; // Who has it, if it does not wait.
  alone: boolean; // Its worker may have nothing else.
  ended: Ending | null;
  servedBefore: number; // How many of its service were served before it waited.
};

export type Ending = "answered" | "refused" | "expired" | "quarantined" | "client gone";

export type Registered = {
  address: Address;
  line: Line; // Of its service.
  credit: number;
  plain: boolean;
  holds: Map<string, Asked>; // What it has not answered, by client frame.
  seated: number; // Of two workers with as much to do, the lower one is served first.
  heardAt: number;
  toldAt: number;
};

export type Asker = { address: Address; envelope: Frame[] };

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
  if ("wrong" in call) return null;
  const { ttl = null, id = null } = call.options;
  return { service: call.service.toString("latin1"), ttl, call: true, callId: id, body: call.body };
}

/** Names an asker: an address, and what stands before the reply. */
export const askerKey = ({ address, envelope }: Asker) =>
  [address, ...envelope.map((frame) => frame.toString("latin1"))].join("\n");

/** Whether these are the same frames. */
export const same = (some: Frame[], others: Frame[]) =>
  some.length === others.length &&
  some.every((frame, at) => frame === others[at] || frame.equals(others[at] as Frame));

/** More than such a body can cost to keep, with all that comes with it. */
export const weightAtMost = (body: Frame[]) => sizeOf(body) + 100 * body.length + 600;

/** For a person to read. */
export const nameOf = (body: Frame[]) => String(body[0]).slice(0, 40);
