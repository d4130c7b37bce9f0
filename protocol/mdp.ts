// The codec of the Majordomo Protocol (7/MDP, 18/MDP): frames to commands, and commands to frames.
// Nothing here keeps state. No frames from a peer make it throw: invalid input is a value with a reason.
//
// Frames start at the envelope: the transport hands over the address of the sender apart from them.

import {
  type ClientCommandName,
  DIALECTS,
  type Dialect,
  MDP_0_1,
  MDP_0_2,
  streams,
  type WorkerCommandName,
} from "./dialects.ts";
import { envelopeLength } from "./envelope.ts";
import { EMPTY, type Frame, isSame } from "./frame.ts";
import { decodeMetadata, encodeMetadata, type Metadata } from "./metadata.ts";
import { decodePairs, encodePairs, type Pair } from "./pairs.ts";
import { type About, decodeCredit, encodeCredit } from "./ready.ts";
import { textBytes } from "./text.ts";

/** A command of MDP/Client. In 0.1 a REPLY has the frames of a REQUEST and decodes to one. */
export type ClientCommand = {
  header: "client";
  dialect: Dialect;
  name: ClientCommandName;
  /** All frames before the header. A reply carries them back unchanged (28/REQREP). */
  envelope: Frame[];
  service: Frame;
  body: Frame[];
};

/**
 * A command of MDP/Worker. Those of 7/MDP and 18/MDP have no `about`, `metadata` and `pairs`; a command
 * with one of them is extended, and only for a peer that has shown that it knows more.
 */
export type WorkerCommand = { header: "worker"; dialect: Dialect } & (
  | { name: "READY"; service: Frame; credit: number | null; about?: About } // Null: a plain worker.
  | { name: "REQUEST"; client: Frame; metadata?: Metadata | undefined; body: Frame[] } // `client` is opaque.
  | { name: "PARTIAL"; client: Frame; body: Frame[] } // A part of the reply; more follows.
  | { name: "REPLY"; client: Frame; body: Frame[] } // `client` as it stood in the REQUEST.
  | { name: "HEARTBEAT"; pairs?: Pair[] }
  | { name: "DISCONNECT" }
);

/** A message that is not MDP. The broker ends the conversation with a worker that sends one. */
export type Invalid = { header: "invalid"; reason: string };

export type Command = ClientCommand | WorkerCommand;

/** The longest service name, in bytes. Peers choose the names, and the broker keeps them. */
export const SERVICE_NAME_BYTES_MAX = 255;

/** The default of the largest message, in bytes. */
export const MESSAGE_BYTES_MAX = 2 ** 24;

/** Room for the envelope, the header and the command of a message, in bytes. */
const MESSAGE_MARGIN_BYTES = 512;

/** The largest body plus address, in bytes, that fits in a message of `messageBytesMax`. */
export const bodyBytesMax = (messageBytesMax: number) => messageBytesMax - MESSAGE_MARGIN_BYTES;

/** The most frames of a message. Bytes alone do not bound it: empty frames have none. */
export const MESSAGE_FRAMES_MAX = 65_536;

/** The most frames before the header of a client's message: each reply carries them back. */
export const ENVELOPE_FRAMES_MAX = 255;

/** The most frames of a body. Each message with it has room for the envelope and the header. */
export const BODY_FRAMES_MAX = MESSAGE_FRAMES_MAX - ENVELOPE_FRAMES_MAX - 45;

/**
 * The frames of a command. In 0.1 and in the text dialect:
 * client   `[envelope…] [MDPC01] [service] [body…]`, the envelope ending with an empty frame
 * worker   `[] [MDPW01] [command] …` with, after it,
 *          READY `[service] [credit]?`, REQUEST and REPLY `[client] [] [body…]`; and extended
 *          READY `[service] [credit] [key=value]…`, REQUEST `[client] [metadata] [body…]` and
 *          HEARTBEAT `[name] [value] [name] [value]…`
 * In 0.2:
 * client   `[envelope…] [MDPC02] [command] [service] [body…]`
 * worker   `[MDPW02] [command] …` as in 0.1, and PARTIAL as REPLY
 *
 * Throws a TypeError for a command that the dialect does not have, and a RangeError beyond the bounds
 * of about.ts, metadata.ts and pairs.ts.
 */
export function encode(command: Command): Frame[] {
  const { dialect, name } = command;
  if (command.header === "client") {
    const { envelope, service, body } = command;
    if (name === "PARTIAL" && !streams(dialect)) throw notInDialect(command);
    const code = dialect.clientCommands ? [dialect.clientCommands[command.name]] : [];
    return [...envelope, dialect.clientHeader, ...code, service, ...body];
  }
  const code = dialect.workerCommands[command.name];
  if (!code) throw notInDialect(command);
  const start = [...dialect.delimiter, dialect.workerHeader, code];
  switch (command.name) {
    case "READY":
      return [...start, command.service, ...encodeCredit(command.credit, command.about)];
    case "REQUEST": {
      const { client, metadata, body } = command;
      return [...start, client, metadata ? encodeMetadata(metadata) : EMPTY, ...body];
    }
    case "PARTIAL":
    case "REPLY":
      return [...start, command.client, EMPTY, ...command.body];
    case "HEARTBEAT":
      return command.pairs ? [...start, ...encodePairs(command.pairs)] : start;
    case "DISCONNECT":
      return start;
  }
}

/**
 * Decodes frames to the command that they are, or to the reason why they are none. Without `extended`
 * the extended commands are invalid, as they are in 7/MDP. A receiver with it must itself reject an
 * extended command of a peer that has not shown that it knows them.
 */
export function decode(frames: Frame[], extended = false): Command | Invalid {
  if (frames.length > MESSAGE_FRAMES_MAX) return invalid("too many frames");
  const at = envelopeLength(frames);
  if (at < 0) return invalid("no header, nor an empty frame before one");
  const header = frames[at];
  if (!header) return invalid("no header");
  for (const dialect of CLIENT_DIALECTS)
    if (isSame(header, dialect.clientHeader)) return decodeClient(dialect, frames, at);
  return decodeWorker(header, frames, at, extended);
}

/** A service's name as a frame. Throws a RangeError if it is empty, too long or has no UTF-8. */
export function serviceFrame(service: string): Frame {
  if (textBytes(service) < 0) throw new RangeError("a service name has half a surrogate pair");
  const frame = Buffer.from(service);
  if (faultOfName(frame) === null) return frame;
  throw new RangeError(
    `a service name has 1 to ${SERVICE_NAME_BYTES_MAX} bytes, not ${frame.length}`,
  );
}

/** `at` is the index of the header. */
function decodeClient(dialect: Dialect, frames: Frame[], at: number): Command | Invalid {
  if (at > ENVELOPE_FRAMES_MAX) return invalid("client command: too many frames before the header");
  const { clientCommands: commands } = dialect;
  const name = commands ? clientCommandOf(commands, frames[at + 1]) : "REQUEST";
  if (!name) return invalid("unknown client command");
  const serviceAt = commands ? at + 2 : at + 1;
  const service = frames[serviceAt];
  const fault = faultOfName(service);
  if (fault || !service) return invalid(`client command: ${fault}`);
  const envelope = frames.slice(0, at);
  const body = frames.slice(serviceAt + 1);
  if (body.length === 0) return invalid("client command: no body");
  return { header: "client", dialect, name, envelope, service, body };
}

function clientCommandOf(commands: Record<ClientCommandName, Frame>, code: Frame | undefined) {
  const names = Object.keys(commands) as ClientCommandName[];
  return names.find((name) => code && isSame(code, commands[name]));
}

function decodeWorker(
  header: Frame,
  frames: Frame[],
  at: number,
  extended: boolean,
): Command | Invalid {
  const known = workerCommandOf(header, frames[at + 1]);
  if (!known && DIALECTS.some(({ workerHeader }) => isSame(header, workerHeader)))
    return invalid("unknown worker command");
  if (!known) return invalid("unknown header");
  const { dialect, name } = known;
  if (at !== dialect.delimiter.length) return invalid("a worker with an envelope");
  return decodeNamed(dialect, name, frames.slice(at + 2), extended);
}

const workerCommandOf = (header: Frame, code = EMPTY) =>
  WORKER_COMMANDS.find((known) => isSame(code, known.code) && isSame(header, known.header));

function decodeNamed(
  dialect: Dialect,
  name: WorkerCommandName,
  rest: Frame[],
  extended: boolean,
): Command | Invalid {
  switch (name) {
    case "READY":
      return decodeReady(dialect, rest, extended);
    case "REQUEST":
      return decodeRequest(dialect, rest, extended);
    case "PARTIAL":
    case "REPLY":
      return decodeAnswer(dialect, name, rest);
    case "HEARTBEAT":
    case "DISCONNECT":
      if (extended && rest.length > 0 && name === "HEARTBEAT") return decodeBeat(dialect, rest);
      if (rest.length > 0) return invalid(`${name}: frames after the command`);
      return { header: "worker", dialect, name };
  }
}

function decodeReady(dialect: Dialect, rest: Frame[], extended: boolean): Command | Invalid {
  const [service, ...more] = rest;
  const fault = faultOfName(service);
  if (fault || !service) return invalid(`READY: ${fault}`);
  const decoded = decodeCredit(more, extended);
  if ("reason" in decoded) return invalid(`READY: ${decoded.reason}`);
  return { header: "worker", dialect, name: "READY", service, ...decoded };
}

function decodeBeat(dialect: Dialect, rest: Frame[]): Command | Invalid {
  const pairs = decodePairs(rest);
  if ("reason" in pairs) return invalid(`HEARTBEAT: ${pairs.reason}`);
  return { header: "worker", dialect, name: "HEARTBEAT", pairs };
}

function decodeRequest(dialect: Dialect, rest: Frame[], extended: boolean): Command | Invalid {
  const [client, delimiter] = rest;
  if (!client || client.length === 0) return invalid("REQUEST: no client address");
  const isPlain = delimiter?.length === 0;
  if (!delimiter || !(isPlain || extended)) return invalid("REQUEST: no empty frame");
  const body = rest.slice(2);
  if (body.length === 0) return invalid("REQUEST: no body");
  if (isPlain) return { header: "worker", dialect, name: "REQUEST", client, body };
  const metadata = decodeMetadata(delimiter);
  if (!metadata) return invalid("REQUEST: malformed metadata");
  return { header: "worker", dialect, name: "REQUEST", client, metadata, body };
}

function decodeAnswer(
  dialect: Dialect,
  name: "PARTIAL" | "REPLY",
  rest: Frame[],
): Command | Invalid {
  const [client, delimiter] = rest;
  if (!client || client.length === 0) return invalid(`${name}: no client address`);
  // The Guide's PHP worker omits the delimiter of its REPLY: the body follows the client address.
  const isDelimited = delimiter?.length === 0;
  const body = rest.slice(isDelimited ? 2 : 1);
  if (body.length === 0) return invalid(`${name}: no body`);
  return { header: "worker", dialect, name, client, body };
}

function faultOfName(service: Frame | undefined): string | null {
  if (!service || service.length === 0) return "no service name";
  if (service.length > SERVICE_NAME_BYTES_MAX) return "the service name is too long";
  return null;
}

/** The text dialect has the same MDP/Client as 0.1, which has no commands. */
const CLIENT_DIALECTS = [MDP_0_1, MDP_0_2];

const WORKER_COMMANDS = DIALECTS.flatMap((dialect) =>
  Object.entries(dialect.workerCommands).map(([name, code]) => ({
    dialect,
    header: dialect.workerHeader,
    code,
    name: name as WorkerCommandName,
  })),
);

const notInDialect = ({ dialect, name }: Command) =>
  new TypeError(`MDP ${dialect.name} has no ${name}`);

const invalid = (reason: string): Invalid => ({ header: "invalid", reason });
