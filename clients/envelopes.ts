// The envelope of a request, which its reply carries back: the id of the request in the session.

import type { Frame } from "../protocol/frame.ts";
import type { ClientCommand } from "../protocol/mdp.ts";

const ID_BYTES = 6; // Enough for one request per µs over nine years.

/** The frame of a request id, a positive integer. */
export function frameOf(id: number): Frame {
  const frame = Buffer.alloc(ID_BYTES);
  frame.writeUIntBE(id, 0, ID_BYTES);
  return frame;
}

/** The request's id from the envelope [id] [empty], or null. */
export function idOf({ envelope }: ClientCommand): number | null {
  const [correlation, delimiter] = envelope;
  if (envelope.length !== 2 || correlation?.length !== ID_BYTES) return null;
  return delimiter?.length === 0 ? correlation.readUIntBE(0, ID_BYTES) : null;
}

/** Whether the envelope is that of a plain message: one empty frame. */
export const hasNoId = ({ envelope }: ClientCommand) => envelope.length === 1;

/**
 * Whether frames that `decode` rejects are the reply to a probe or to mmi.cancel, by the service that
 * they name: [empty] [header] [mmi.*].
 */
export const isManagementReply = ([delimiter, , service]: Frame[]) =>
  delimiter?.length === 0 && service?.subarray(0, 4).toString("latin1") === "mmi.";
