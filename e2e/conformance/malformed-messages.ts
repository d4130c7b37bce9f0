// Messages that are not MDP, as hostile or broken peers send them, each with a description.

import { DIALECTS, type Dialect, V02 } from "./raw-peer.ts";

export type Malformed = [what: string, ...frames: string[]];

/** A service without workers: a message that the broker takes for a request reaches no test. */
const SERVICE = "malformed";

export const TRUNCATED: Malformed[] = [
  ...DIALECTS.flatMap((dialect) => truncationsOf(dialect)),
  ...prefixesOf("a REQUEST of MDPC01", ["", "MDPC01", SERVICE, "body"]),
  ...prefixesOf("a REQUEST of MDPC01 with an envelope", ["7", "", "MDPC01", SERVICE, "body"]),
  ...prefixesOf("a REQUEST of MDPC02", ["MDPC02", "\x01", SERVICE, "body"]),
  ...prefixesOf("a REQUEST of MDPC02 with an envelope", ["7", "MDPC02", "\x01", SERVICE, "body"]),
];

export const SUPERFLUOUS: Malformed[] = DIALECTS.flatMap(
  ({ name, start, READY, HEARTBEAT, DISCONNECT }): Malformed[] => [
    [`HEARTBEAT of ${name} with an empty frame`, ...start, HEARTBEAT, ""],
    [`HEARTBEAT of ${name} with a service`, ...start, HEARTBEAT, SERVICE],
    [`DISCONNECT of ${name} with an empty frame`, ...start, DISCONNECT, ""],
    [`DISCONNECT of ${name} with a reason`, ...start, DISCONNECT, "tired"],
    [`READY of ${name} with two credits`, ...start, READY, SERVICE, "1", "1"],
    [`READY of ${name} with a credit and more`, ...start, READY, SERVICE, "1", ""],
    [`HEARTBEAT of ${name} with ten thousand frames`, ...start, HEARTBEAT, ...many("x")],
    [`READY of ${name} with ten thousand frames`, ...start, READY, SERVICE, ...many("1")],
  ],
);

export const WRONG_COMMANDS: Malformed[] = [
  ...["\x00", "\x07", "\x7f", "\xff", "\x01\x01", "\x00\x01", "", "1", "ready", "\xff\xfe"].flatMap(
    (command): Malformed[] => [
      [`MDPW01 with the command ${hex(command)}`, "", "MDPW01", command, SERVICE],
      [`MDPW02 with the command ${hex(command)}`, "MDPW02", command, SERVICE],
      [`MDPC02 with the command ${hex(command)}`, "MDPC02", command, SERVICE, "body"],
    ],
  ),
  ["MDPW01 with 06", "", "MDPW01", "\x06"],
  ["MDPW02 with the word READY", "MDPW02", "READY", SERVICE],
  ["MDPW02 with the word HEARTBEAT", "MDPW02", "HEARTBEAT"],
  ["MDPC02 with the word REQUEST", "MDPC02", "REQUEST", SERVICE, "body"],
  ["MDPC02 with 02, the broker's PARTIAL", "MDPC02", "\x02", SERVICE, "body"],
  ["MDPC02 with 03, the broker's FINAL", "MDPC02", "\x03", SERVICE, "body"],
  ["MDPC02 with 04", "MDPC02", "\x04", SERVICE, "body"],
];

export const WRONG_HEADERS: Malformed[] = [
  ...[
    "MDPX01",
    "MDPC03",
    "MDPW03",
    "MDPC00",
    "MDPW00",
    "MDPC0X",
    "mdpc01",
    "mdpw01",
    "MDPC0",
    "MDPW0",
    "MDPC010",
    "MDPW011",
    "MDPC01\0",
    "MDPW01\0",
    "\0MDPC01",
    "MDPC\x0001",
    "MDPC\xff\xfe",
    "\0\0\0\0\0\0",
    "x".repeat(2 ** 16),
  ].flatMap((header): Malformed[] => [
    [`an empty frame and the header ${hex(header)}`, "", header, "\x01", SERVICE, "body"],
    [`the header ${hex(header)}`, header, "\x01", SERVICE, "body"],
    [`an envelope and the header ${hex(header)}`, "7", "", header, "\x01", SERVICE, "body"],
  ]),
  ["MDPC01 without an empty frame before it", "MDPC01", SERVICE, "body"],
  ["MDPW01 without an empty frame before it", "MDPW01", "\x01", SERVICE],
  ["two empty frames before MDPC01", "", "", "MDPC01", SERVICE, "body"],
  ["two empty frames before MDPW01", "", "", "MDPW01", "\x01", SERVICE],
  ["an envelope before MDPW01", "7", "", "MDPW01", "\x01", SERVICE],
  ["an envelope before MDPW02", "7", "", "MDPW02", "\x01", SERVICE],
  ["an address before MDPW02", "7", "MDPW02", "\x01", SERVICE],
];

/** 18/MDP has no empty frame before a worker's command. Some brokers of 0.2 write one. */
export const DELIMITED_02: Malformed[] = [
  ["READY of 0.2 after an empty frame", "", ...V02.start, V02.READY, SERVICE],
  ["HEARTBEAT of 0.2 after an empty frame", "", ...V02.start, V02.HEARTBEAT],
  ["FINAL of 0.2 after an empty frame", "", ...V02.start, V02.REPLY, "client", "", "body"],
];

export const NOTHING: Malformed[] = [
  ["one empty frame", ""],
  ["two empty frames", "", ""],
  ["a hundred empty frames", ...Array<string>(100).fill("")],
  ["ten thousand empty frames", ...many("")],
  ["one byte", "\0"],
  ["ten thousand frames of junk", ...many("junk")],
  ["ten thousand frames before the header", ...many("x"), "", "MDPX01"],
  ["frames that are not UTF-8", "\xff", "\xc3\x28", "\xed\xa0\x80", "\xf8\x88"],
  ["an empty frame and bytes that are not UTF-8", "", "\xff\xfe\xfd\xfc\xfb\xfa", "\xff", "\xff"],
  ["JSON", '{"command":"READY","service":"malformed"}'],
  ["more frames than a message may have", "", "MDPC01", SERVICE, ...many("x", 2 ** 16)],
];

export const WRONG_NAMES: Malformed[] = ["", "x".repeat(256), "x".repeat(2 ** 16)].flatMap(
  (service): Malformed[] => [
    ...DIALECTS.map(
      ({ name, start, READY }): Malformed => [
        `READY of ${name} for a service of ${service.length} bytes`,
        ...start,
        READY,
        service,
      ],
    ),
    [`MDPC01 for a service of ${service.length} bytes`, "", "MDPC01", service, "body"],
    [`MDPC02 for a service of ${service.length} bytes`, "MDPC02", "\x01", service, "body"],
  ],
);

export const WRONG_CREDITS: Malformed[] = DIALECTS.flatMap(({ name, start, READY }) =>
  [
    "",
    "0",
    "00",
    "05",
    "-1",
    "+5",
    " 5",
    "5 ",
    "5\0",
    "\0",
    "\x05",
    "1.0",
    "1e3",
    "0x5",
    "65536",
    "9".repeat(30),
    "\xd9\xa5", // An Arabic five, in UTF-8.
    "\xef\xbc\x95", // One of full width.
    "\xff",
    "NaN",
    "Infinity",
  ].map(
    (credit): Malformed => [
      `READY of ${name} with the credit ${hex(credit)}`,
      ...start,
      READY,
      SERVICE,
      credit,
    ],
  ),
);

export const WRONG_ADDRESSES: Malformed[] = [...DIALECTS, { ...V02, REPLY: V02.PARTIAL }].flatMap(
  ({ name, start, REPLY }): Malformed[] => [
    [`a reply of ${name} (${hex(REPLY)}) to an empty address`, ...start, REPLY, "", "", "body"],
    [`a reply of ${name} (${hex(REPLY)}) without a body`, ...start, REPLY, "client", ""],
    [`a reply of ${name} (${hex(REPLY)}) of two empty frames`, ...start, REPLY, "", ""],
  ],
);

function truncationsOf(dialect: Dialect): Malformed[] {
  const { name, start, READY, REQUEST, REPLY, HEARTBEAT } = dialect;
  return [
    ...prefixesOf(`READY of ${name}`, [...start, READY, SERVICE]),
    ...prefixesOf(`REQUEST of ${name}`, [...start, REQUEST, "client", "", "body"]),
    ...prefixesOf(`REPLY of ${name}`, [...start, REPLY, "client", "", "body"]),
    ...prefixesOf(`HEARTBEAT of ${name}`, [...start, HEARTBEAT]),
  ];
}

/** Every beginning of a message, without the whole of it. */
function prefixesOf(what: string, whole: string[]): Malformed[] {
  return whole.slice(1).map((_, nth) => {
    const frames = whole.slice(0, nth + 1);
    return [`${what} cut off after ${frames.length} of ${whole.length} frames`, ...frames];
  });
}

function many(frame: string, count = 10_000): string[] {
  return Array<string>(count).fill(frame);
}

/** Bytes as a title can show them. */
function hex(bytes: string): string {
  if (bytes.length > 32) return `${bytes.length} bytes`;
  if (/^[!-~]+$/.test(bytes)) return bytes;
  return bytes === "" ? "of no bytes" : Buffer.from(bytes, "latin1").toString("hex");
}
