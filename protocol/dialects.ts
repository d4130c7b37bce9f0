// The ways of writing MDP. They differ in their headers, in how commands are written, and in what
// stands before the header. A peer is answered in the dialect that it spoke.

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
  name: string;
  clientHeader: Frame;
  workerHeader: Frame;
  delimiter: Frame[]; // What goes before the header, if there is no envelope.
  clientCommands: Record<ClientCommandName, Frame> | null; // Null: none, the direction tells.
  workerCommands: Partial<Record<WorkerCommandName, Frame>>; // Without PARTIAL it cannot stream.
};

/** 7/MDP. */
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

/** 7/MDP as some write it who take the names of its commands for the commands. */
export const MDP_0_1_TEXT: Dialect = {
  ...MDP_0_1,
  name: "0.1 in words",
  workerCommands: {
    READY: Buffer.from("READY"),
    REQUEST: Buffer.from("REQUEST"),
    REPLY: Buffer.from("REPLY"),
    HEARTBEAT: Buffer.from("HEARTBEAT"),
    DISCONNECT: Buffer.from("DISCONNECT"),
  },
};

/** 18/MDP. */
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

/** Whether a reply in this dialect may come in parts. */
export const streams = ({ workerCommands }: Dialect) => workerCommands.PARTIAL !== undefined;
