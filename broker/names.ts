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

/** The most characters of `detail` in a log line. */
export const DETAIL_MAX = 200;

/** A peer's text for a field of the log: without control characters, and of a bounded length. */
export const detailOf = (text: string) => printable(text.slice(0, DETAIL_MAX)).slice(0, DETAIL_MAX);

/** The text with each control, format and unpaired surrogate character as an escape of JSON. */
export const printable = (text: string) =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (found) =>
    Array.from({ length: found.length }, (_, at) => escapeOf(found.charCodeAt(at))).join(""),
  );

const escapeOf = (unit: number) => `\\u${unit.toString(16).padStart(4, "0")}`;
