/** A part of a ZeroMQ message. */
export type Frame = Buffer;

export const EMPTY: Frame = Buffer.alloc(0);

/** What the transport knows a peer by while its connection lasts, a character a byte. */
export type Address = string;
