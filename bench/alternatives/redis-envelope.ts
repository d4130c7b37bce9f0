// A request through Redis carries its reply-to, the name of a list:
//   [length of the name, 1 byte] [name] [slot, 4 bytes] [body]
// Its reply is [slot] [body].

const SLOT_BYTES = 4;

/** A request with its reply-to and slot. */
export function encodeRequest(replyTo: string, slot: number, body: Buffer): Buffer {
  const slotAt = 1 + replyTo.length;
  const request = Buffer.allocUnsafe(slotAt + SLOT_BYTES + body.length);
  request[0] = replyTo.length;
  request.write(replyTo, 1, "latin1");
  request.writeUInt32BE(slot, slotAt);
  body.copy(request, slotAt + SLOT_BYTES);
  return request;
}

/** The reply of an echo worker, and the list that it goes to. */
export function echo(request: Buffer): { replyTo: string; reply: Buffer } {
  const slotAt = 1 + (request[0] as number);
  return { replyTo: request.toString("latin1", 1, slotAt), reply: request.subarray(slotAt) };
}

/** The slot of a reply, and the length of its body. */
export function decodeReply(reply: Buffer): { slot: number; bytes: number } {
  return { slot: reply.readUInt32BE(0), bytes: reply.length - SLOT_BYTES };
}

/** Appends to the list of a key, and creates the list if there is none. */
export function append<Value>(lists: Map<string, Value[]>, key: string, value: Value) {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
