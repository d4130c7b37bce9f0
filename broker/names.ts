// Names and addresses as strings, for maps, logs and management replies.

import type { Address, Frame } from "../protocol/frame.ts";

/** Names and addresses are any bytes. Maps have them as strings, one character per byte. */
export const nameOf = (frame: Frame) => frame.toString("latin1");

/** The bytes of such a string. */
export const bytesOf = (name: string): Frame => Buffer.from(name, "latin1");

/** An address for logs and `mmi.workers`: hexadecimal digits. */
export const hexOf = (address: Address) => bytesOf(address).toString("hex");

/** The name of a service for logs and `mmi.services`: UTF-8. */
export const textOf = ({ frame }: { frame: Frame }) => frame.toString("utf8");
