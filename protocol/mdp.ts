// The Majordomo Protocol on the wire: frames in, commands out, and back again (7/MDP, 18/MDP).
// Nothing here keeps state, and nothing throws on what a peer sent: bad input is a value with a
// reason.
//
// The address that a ROUTER puts before each message is the transport's and never reaches this file.

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

/** MDP/Client. In 0.1 a REPLY has the frames of a REQUEST, and is read as one. */
export type ClientCommand = {
  header: "client";
  dialect: Dialect;
  name: ClientCommandName;
  envelope: Frame[]; // All that stood before the header; goes back unchanged (28/REQREP).
  service: Frame;
  body: Frame[];
};

/** MDP/Worker. */
export type WorkerCommand = { header: "worker"; dialect: Dialect } & (
  | { name: "READY"; service: Frame; credit: number | null } // Null: a plain 7/MDP worker.
  | { name: "REQUEST"; client: Frame; body: Frame[] } // `client` is opaque to the worker.
  | { name: "PARTIAL"; client: Frame; body: Frame[] } // A part of the reply; more follows.
  | { name: "REPLY"; client: Frame; body: Frame[] } // `client` as it stood in the REQUEST.
  | { name: "HEARTBEAT" }
  | { name: "DISCONNECT" }
);

/** A message that is not MDP. Its sender cannot be trusted with anything else that it sends. */
export type Invalid = { header: "invalid"; reason: string };

export type Command = ClientCommand | WorkerCommand;

/** The longest service name in bytes. Peers choose the names, and brokers remember them. */
export const SERVICE_NAME_BYTES_MAX = 255;

/** How large a message may be in bytes, unless the broker is set otherwise. */
export const MESSAGE_BYTES_MAX = 2 ** 24;

/** What a message may take besides its service name or client address, and its body. */
const MESSAGE_MARGIN_BYTES = 512;

/** The most bytes that a body and what it is addressed to may have in a message of so many. */
export const bodyBytesMax = (messageBytesMax: number) => messageBytesMax - MESSAGE_MARGIN_BYTES;

/** The most frames that a message may have, so that no message is all frames and no bytes. */
export const MESSAGE_FRAMES_MAX = 65_536;

/** The most of them that a body may have, so that there is room for what it is addressed to. */
export const BODY_FRAMES_MAX = MESSAGE_FRAMES_MAX - 100;

/** The most requests at once that a worker may announce in READY. */
export const CREDIT_MAX = 65_535;

/**
 * The frames of a command. In 0.1, in bytes or in words:
 * client   `[envelope…] [MDPC01] [service] [body…]`, the envelope ending with an empty frame
 * worker   `[] [MDPW01] [command] …` with, after it,
 *          READY `[service] [credit]?`, REQUEST and REPLY `[client] [] [body…]`
 * In 0.2:
 * client   `[envelope…] [MDPC02] [command] [service] [body…]`
 * worker   `[MDPW02] [command] …` as in 0.1, and PARTIAL as REPLY
 *
 * Throws a TypeError for a command that the dialect does not have.
 */
export function encode(command: Command): Frame[] {
  const { dialect, name } = command;
  if (command.header === "client") {
    const { envelope, service, body } = command;
    if (name === "PARTIAL" && !streams(dialect)) throw missing(command);
    const code = dialect.clientCommands ? [dialect.clientCommands[command.name]] : [];
    return [...envelope, dialect.clientHeader, ...code, service, ...body];
  }
  const code = dialect.workerCommands[command.name];
  if (!code) throw missing(command);
  const start = [...dialect.delimiter, dialect.workerHeader, code];
  switch (command.name) {
    case "READY":
      if (command.credit === null) return [...start, command.service];
      return [...start, command.service, Buffer.from(String(command.credit))];
    case "REQUEST":
    case "PARTIAL":
    case "REPLY":
      return [...start, command.client, EMPTY, ...command.body];
    case "HEARTBEAT":
    case "DISCONNECT":
      return start;
  }
}

/** The command that these frames are, or why they are none. */
export function decode(frames: Frame[]): Command | Invalid {
  if (frames.length > MESSAGE_FRAMES_MAX) return invalid("too many frames");
  const at = envelopeLength(frames);
  if (at < 0) return invalid("no header, nor an empty frame before one");
  const header = frames[at];
  if (!header) return invalid("no header");
  for (const dialect of CLIENT_DIALECTS)
    if (isSame(header, dialect.clientHeader)) return decodeClient(dialect, frames, at);
  return decodeWorker(header, frames, at);
}

/** A service's name as a frame. Throws a RangeError for one that the protocol has no room for. */
export function serviceFrame(service: string): Frame {
  const frame = Buffer.from(service);
  if (wrongName(frame) === null) return frame;
  throw new RangeError(
    `a service name has 1 to ${SERVICE_NAME_BYTES_MAX} bytes, not ${frame.length}`,
  );
}

/** `at` is where the header is. */
function decodeClient(dialect: Dialect, frames: Frame[], at: number): Command | Invalid {
  const { clientCommands: commands } = dialect;
  const name = commands ? clientCommandOf(commands, frames[at + 1]) : "REQUEST";
  if (!name) return invalid("unknown client command");
  const serviceAt = commands ? at + 2 : at + 1;
  const service = frames[serviceAt];
  const wrong = wrongName(service);
  if (wrong || !service) return invalid(`client command: ${wrong}`);
  const envelope = frames.slice(0, at);
  const body = frames.slice(serviceAt + 1);
  if (body.length === 0) return invalid("client command: no body");
  return { header: "client", dialect, name, envelope, service, body };
}

function clientCommandOf(commands: Record<ClientCommandName, Frame>, code: Frame | undefined) {
  const names = Object.keys(commands) as ClientCommandName[];
  return names.find((name) => code && isSame(code, commands[name]));
}

function decodeWorker(header: Frame, frames: Frame[], at: number): Command | Invalid {
  const known = workerCommandOf(header, frames[at + 1]);
  if (!known && DIALECTS.some(({ workerHeader }) => isSame(header, workerHeader)))
    return invalid("unknown worker command");
  if (!known) return invalid("unknown header");
  const { dialect, name } = known;
  if (at !== dialect.delimiter.length) return invalid("a worker with an envelope");
  return decodeNamed(dialect, name, frames.slice(at + 2));
}

const workerCommandOf = (header: Frame, code = EMPTY) =>
  WORKER_COMMANDS.find((known) => isSame(code, known.code) && isSame(header, known.header));

function decodeNamed(dialect: Dialect, name: WorkerCommandName, rest: Frame[]): Command | Invalid {
  switch (name) {
    case "READY":
      return decodeReady(dialect, rest);
    case "REQUEST":
    case "PARTIAL":
    case "REPLY":
      return decodeWithClient(dialect, name, rest);
    case "HEARTBEAT":
    case "DISCONNECT":
      if (rest.length > 0) return invalid(`${name}: frames after the command`);
      return { header: "worker", dialect, name };
  }
}

function decodeReady(dialect: Dialect, rest: Frame[]): Command | Invalid {
  const [service, creditFrame] = rest;
  const wrong = wrongName(service);
  if (wrong || !service) return invalid(`READY: ${wrong}`);
  if (rest.length > 2) return invalid("READY: frames after the credit");
  if (!creditFrame) return { header: "worker", dialect, name: "READY", service, credit: null };
  const credit = parseCredit(creditFrame);
  if (!credit) return invalid(`READY: the credit is not a number from 1 to ${CREDIT_MAX}`);
  return { header: "worker", dialect, name: "READY", service, credit };
}

function decodeWithClient(
  dialect: Dialect,
  name: "REQUEST" | "PARTIAL" | "REPLY",
  rest: Frame[],
): Command | Invalid {
  const [client, delimiter] = rest;
  if (!client || client.length === 0) return invalid(`${name}: no client address`);
  // The Guide's PHP worker leaves the delimiter out of its REPLY; its body starts at once.
  const isDelimited = delimiter?.length === 0;
  if (!isDelimited && name === "REQUEST") return invalid("REQUEST: no empty frame");
  const body = rest.slice(isDelimited ? 2 : 1);
  if (body.length === 0) return invalid(`${name}: no body`);
  return { header: "worker", dialect, name, client, body };
}

function wrongName(service: Frame | undefined): string | null {
  if (!service || service.length === 0) return "no service name";
  if (service.length > SERVICE_NAME_BYTES_MAX) return "the service name is too long";
  return null;
}

function parseCredit(frame: Frame): number | null {
  if (frame.length > String(CREDIT_MAX).length) return null;
  const digits = frame.toString("latin1");
  const credit = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
  return credit >= 1 && credit <= CREDIT_MAX ? credit : null;
}

/** In words or in bytes, MDP/Client 0.1 is the same: it has no commands. */
const CLIENT_DIALECTS = [MDP_0_1, MDP_0_2];

const WORKER_COMMANDS = DIALECTS.flatMap((dialect) =>
  Object.entries(dialect.workerCommands).map(([name, code]) => ({
    dialect,
    header: dialect.workerHeader,
    code,
    name: name as WorkerCommandName,
  })),
);

const missing = ({ dialect, name }: Command) => new TypeError(`MDP ${dialect.name} has no ${name}`);

const invalid = (reason: string): Invalid => ({ header: "invalid", reason });
