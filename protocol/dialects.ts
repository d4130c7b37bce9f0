// The dialects of MDP. They differ in their headers, in the bytes of their commands, and in the frames
// before the header. The broker answers each peer in the dialect of its message.

import { EMPTY, type Frame } from "./frame.ts";

export type ClientCommandName = "REQUEST" | "PARTIAL" | "REPLY";
export type WorkerCommandName =
  | "READY"
  | "REQUEST"
  | "PARTIAL"
  | "REPLY" // FINAL in 18/MDP.
  | "HEARTBEAT"
  | "DISCONNECT";

export type Dialect = {
  /** As logs and `mmi.workers` show it. */
  name: string;
  clientHeader: Frame;
  workerHeader: Frame;
  /** The frames before the header of a message without an envelope. */
  delimiter: Frame[];
  /** Null where MDP/Client has no command frame: a client sends REQUESTs, and a broker REPLYs. */
  clientCommands: Record<ClientCommandName, Frame> | null;
  /** A dialect without PARTIAL cannot stream. */
  workerCommands: Partial<Record<WorkerCommandName, Frame>>;
};

/** 7/MDP: version 0.1. */
export const MDP_0_1: Dialect = {
  name: "0.1",
  clientHeader: Buffer.from("MDPC01"),
  workerHeader: Buffer.from("MDPW01"),
  delimiter: [EMPTY],
  clientCommands: null,
  workerCommands: {
    READY: Buffer.of(1),
    REQUEST: Buffer.of(2),
    REPLY: Buffer.of(3),
    HEARTBEAT: Buffer.of(4),
    DISCONNECT: Buffer.of(5),
  },
};

/** The text dialect: 7/MDP with the names of commands, in ASCII, instead of their numbers. */
export const MDP_0_1_TEXT: Dialect = {
  ...MDP_0_1,
  name: "0.1-text",
  workerCommands: {
    READY: Buffer.from("READY"),
    REQUEST: Buffer.from("REQUEST"),
    REPLY: Buffer.from("REPLY"),
    HEARTBEAT: Buffer.from("HEARTBEAT"),
    DISCONNECT: Buffer.from("DISCONNECT"),
  },
};

/** 18/MDP: version 0.2. */
export const MDP_0_2: Dialect = {
  name: "0.2",
  clientHeader: Buffer.from("MDPC02"),
  workerHeader: Buffer.from("MDPW02"),
  delimiter: [],
  clientCommands: { REQUEST: Buffer.of(1), PARTIAL: Buffer.of(2), REPLY: Buffer.of(3) },
  workerCommands: {
    READY: Buffer.of(1),
    REQUEST: Buffer.of(2),
    PARTIAL: Buffer.of(3),
    REPLY: Buffer.of(4),
    HEARTBEAT: Buffer.of(5),
    DISCONNECT: Buffer.of(6),
  },
};

export const DIALECTS = [MDP_0_1, MDP_0_1_TEXT, MDP_0_2];

/** Whether a reply in this dialect may have parts (PARTIAL, 18/MDP). */
export const streams = ({ workerCommands }: Dialect) => workerCommands.PARTIAL !== undefined;
