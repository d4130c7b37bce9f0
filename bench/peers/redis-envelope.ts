// A request through Redis says where its reply goes:  length of that list's name, 1 byte · the name ·
// slot, 4 bytes · body. Its reply is what follows the name.

const SLOT_BYTES = 4;

export function encodeRequest(replyTo: string, slot: number, body: Buffer): Buffer {
  const slotAt = 1 + replyTo.length;
  const request = Buffer.allocUnsafe(slotAt + SLOT_BYTES + body.length);
  request[0] = replyTo.length;
  request.write(replyTo, 1, "latin1");
  request.writeUInt32BE(slot, slotAt);
  body.copy(request, slotAt + SLOT_BYTES);
  return request;
}

export function echo(request: Buffer): { replyTo: string; reply: Buffer } {
  const slotAt = 1 + (request[0] as number);
  return { replyTo: request.toString("latin1", 1, slotAt), reply: request.subarray(slotAt) };
}

export function decodeReply(reply: Buffer): { slot: number; bytes: number } {
  return { slot: reply.readUInt32BE(0), bytes: reply.length - SLOT_BYTES };
}

/** Appends to the list of that key, which may be its first. */
export function append<Value>(lists: Map<string, Value[]>, key: string, value: Value) {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
