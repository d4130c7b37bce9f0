// Compares docs/PROTOCOL.md with the codec: each example in a block of frames, and each bound.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeCall, decodeStatus, encodeCall, encodeStatus, STATUS } from "./call.ts";
import { CALL_ID_BYTES_MAX, CALL_ID_BYTES_MIN } from "./call-id.ts";
import {
  HEADER_NAME_BYTES_MAX,
  HEADERS_BYTES_MAX,
  HEADERS_MAX,
  OPTIONS_BYTES_MAX,
  OPTIONS_WITH_HEADERS_BYTES_MAX,
  TTL_MS_MAX,
} from "./call-options.ts";
import { CAPABILITIES, decodeProbeReply, encodeProbe } from "./capabilities.ts";
import { DIALECTS, type Dialect, MDP_0_1, MDP_0_1_TEXT, MDP_0_2 } from "./dialects.ts";
import { decodeErrorReply, encodeErrorReply } from "./error-reply.ts";
import { EMPTY, type Frame } from "./frame.ts";
import {
  decodeCancel,
  decodeEvents,
  decodeEventsAfter,
  decodeReadyReply,
  encodeCancel,
  encodeEvents,
  encodeEventsAfter,
  encodeReadyReply,
} from "./management.ts";
import {
  BODY_FRAMES_MAX,
  type ClientCommand,
  type Command,
  decode,
  ENVELOPE_FRAMES_MAX,
  encode,
  MESSAGE_FRAMES_MAX,
  SERVICE_NAME_BYTES_MAX,
} from "./mdp.ts";
import { KEY_NAME_BYTES_MAX, METADATA_BYTES_MAX } from "./metadata.ts";
import { LIMIT_MAX, PAIRS_BYTES_MAX, PAIRS_MAX, PROGRESS_BYTES_MAX } from "./pairs.ts";
import { ABOUT_FRAME_BYTES_MAX, ABOUT_FRAMES_MAX, CREDIT_MAX, FEATURES } from "./ready.ts";
import { idFrame } from "./request-id.ts";

const page = readFileSync(new URL("../docs/PROTOCOL.md", import.meta.url), "utf8");

/** The examples: title and frames. */
const written = new Map(
  [...page.matchAll(/^```frames\n([\s\S]*?)^```$/gm)]
    .flatMap(([, block = ""]) => block.trim().split("\n\n"))
    .map((example): [string, Frame[]] => {
      const [title = "", ...lines] = example.split("\n");
      return [title, framesOf(lines.join(" "))];
    }),
);

/** The frames that stand in brackets on a line. */
function framesOf(line: string): Frame[] {
  assert.match(line, /^\[.*\]$/);
  return line
    .slice(1, -1)
    .split("] [")
    .map((text) => {
      const bytes = text.replace(/\\x([0-9a-f]{2})/g, (_, hex) =>
        String.fromCharCode(parseInt(hex, 16)),
      );
      return Buffer.from(bytes, "latin1");
    });
}

const INCARNATION = Buffer.from("thislife");
const address = idFrame(INCARNATION, 7);
const ID = "0123456789abcdef";
const bytes = (...values: string[]) => values.map((value) => Buffer.from(value));

const beat = { header: "worker", name: "HEARTBEAT", dialect: MDP_0_1 } as const;
const ready = {
  header: "worker",
  name: "READY",
  dialect: MDP_0_1,
  service: Buffer.from("echo"),
} as const;
const request = {
  header: "worker",
  name: "REQUEST",
  dialect: MDP_0_1,
  client: address,
  body: bytes("hello"),
} as const;

/** A command of a client, or a reply to one: in 0.1 both decode to REQUEST. */
function client(service: string, body: Frame[], more: Partial<ClientCommand> = {}): ClientCommand {
  const { dialect = MDP_0_1 } = more;
  const envelope = dialect.delimiter;
  const command = { header: "client", dialect, name: "REQUEST", envelope } as const;
  return { ...command, service: Buffer.from(service), body, ...more };
}

const callBody = (options: Parameters<typeof encodeCall>[0]["options"]) =>
  encodeCall({ service: Buffer.from("echo"), options, body: bytes("hello") });

const EXAMPLES: Record<string, Command> = {
  "HEARTBEAT in 0.1": beat,
  "HEARTBEAT in the text dialect": { ...beat, dialect: MDP_0_1_TEXT },
  "HEARTBEAT in 0.2": { ...beat, dialect: MDP_0_2 },
  "Capability probe": client("mmi.service", bytes("mmi.call")),
  "Reply of a broker that has the capability": client("mmi.service", bytes("200")),
  "READY of 7/MDP": { ...ready, credit: null },
  "READY with a credit": { ...ready, credit: 16 },
  "READY with keys": {
    ...ready,
    credit: 16,
    about: { name: "host-1:4711", knows: new Set(["meta", "cancel"]) },
  },
  "READY with keys in 0.2": {
    ...ready,
    dialect: MDP_0_2,
    credit: 16,
    about: { name: null, knows: new Set() },
  },
  "REQUEST to a worker with credit": request,
  "REPLY of that worker": { ...request, name: "REPLY", body: bytes("HELLO") },
  "REQUEST with the shortest metadata: delivery 1, 5,000 ms left": {
    ...request,
    metadata: {
      delivery: 1,
      msLeft: 5000,
      progress: false,
      callId: null,
      by: null,
      headers: null,
    },
  },
  'REQUEST with all metadata: progress wanted, delivery 2, call id, key "alice", header "trace" of "7"':
    {
      ...request,
      metadata: {
        delivery: 2,
        msLeft: 5000,
        progress: true,
        callId: ID,
        by: "alice",
        headers: { trace: "7" },
      },
    },
  "HEARTBEAT of a broker: its incarnation": {
    ...beat,
    pairs: [{ name: "incarnation", incarnation: INCARNATION }],
  },
  "HEARTBEAT of a broker: cancel two requests": {
    ...beat,
    pairs: [{ name: "cancel", addresses: [address, idFrame(INCARNATION, 8)] }],
  },
  "HEARTBEAT of a worker that drains, in 0.2": {
    ...beat,
    dialect: MDP_0_2,
    pairs: [
      { name: "limit", limit: 0 },
      { name: "returned", addresses: [address] },
    ],
  },
  "HEARTBEAT of a worker with progress, in the text dialect": {
    ...beat,
    dialect: MDP_0_1_TEXT,
    pairs: [{ name: "progress", address, value: Buffer.from("50%") }],
  },
  Call: client("mmi.call", callBody({ ttl: 5000, id: ID })),
  "Call without options, behind an envelope": client("mmi.call", callBody({}), {
    envelope: bytes("req-7", ""),
  }),
  "Call with headers and progress, in 0.2": client(
    "mmi.call",
    callBody({ wait: 0, progress: true, headers: { trace: "7" } }),
    { dialect: MDP_0_2 },
  ),
  "Reply to a call": client("mmi.call", encodeStatus(STATUS.ok, bytes("HELLO"))),
  "Progress of a call in 0.2": client("mmi.call", encodeStatus(STATUS.progress, "50%"), {
    dialect: MDP_0_2,
    name: "PARTIAL",
  }),
  "Rejection of a call": client(
    "mmi.call",
    encodeStatus(STATUS.noWorker, "no worker registered in time"),
  ),
  "Error reply of a worker": {
    ...request,
    name: "REPLY",
    body: encodeErrorReply(404, "no such document"),
  },
  "Error reply to a call": client(
    "mmi.call",
    encodeStatus(404, encodeErrorReply(404, "no such document")),
  ),
  "Question for the incarnation": client("mmi.ready", [EMPTY]),
  "Reply with the incarnation": client("mmi.ready", encodeReadyReply(INCARNATION)),
  Cancel: client("mmi.cancel", encodeCancel(ID)),
  "Question for the events after number 6": client("mmi.events", encodeEventsAfter(6)),
  "Reply with one event": client(
    "mmi.events",
    encodeEvents(INCARNATION, [{ sequence: 7, event: "worker.removed" }]),
  ),
};

test("docs/PROTOCOL.md: it has the examples of this test", () => {
  assert.deepEqual([...written.keys()], Object.keys(EXAMPLES));
});

for (const [title, command] of Object.entries(EXAMPLES)) {
  test(`docs/PROTOCOL.md, ${title}: the codec writes and reads these frames`, () => {
    const frames = written.get(title) ?? [];
    assert.deepEqual(encode(command), frames);
    assert.deepEqual(decode(frames, true), command);
  });
}

test("docs/PROTOCOL.md, bodies: their decoders read them", () => {
  const bodyOf = (title: string): Frame[] => {
    const command = decode(written.get(title) ?? []);
    return command.header !== "invalid" && "body" in command ? command.body : [];
  };
  const incarnation = INCARNATION;
  assert.deepEqual(encodeProbe("mmi.call"), written.get("Capability probe"));
  const probeReply = decode(written.get("Reply of a broker that has the capability") ?? []);
  assert.ok(probeReply.header === "client" && decodeProbeReply(probeReply));
  const call = decodeCall(bodyOf("Call with headers and progress, in 0.2"));
  assert.ok("options" in call);
  assert.deepEqual(call.options, { wait: 0, progress: true, headers: { trace: "7" } });
  assert.equal(decodeStatus(bodyOf("Progress of a call in 0.2"))?.status, 102);
  assert.equal(decodeErrorReply(bodyOf("Error reply of a worker"))?.code, 404);
  assert.deepEqual(decodeReadyReply(bodyOf("Reply with the incarnation")), incarnation);
  assert.equal(decodeCancel(bodyOf("Cancel")), ID);
  assert.equal(decodeEventsAfter(bodyOf("Question for the events after number 6")), 6);
  const events = [{ sequence: 7, event: "worker.removed" }];
  assert.deepEqual(decodeEvents(bodyOf("Reply with one event")), { incarnation, events });
});

/** The cells of the tables under a heading, without its first row. */
function rowsUnder(heading: string): string[][] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const lines = (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| "));
  return lines.slice(1).map((line) => line.slice(2, -2).split(" | "));
}

test("docs/PROTOCOL.md, Bounds: those of the codec", () => {
  const bounds = new Map(rowsUnder("Bounds").map(([name = "", value]) => [name, Number(value)]));
  const expected: [string, number][] = [
    ["Frames of a message", MESSAGE_FRAMES_MAX],
    ["Frames before the header of a client's message", ENVELOPE_FRAMES_MAX],
    ["Frames of a body", BODY_FRAMES_MAX],
    ["Bytes of a service name", SERVICE_NAME_BYTES_MAX],
    ["Credit, and `limit`", CREDIT_MAX],
    ["Frames of READY after the credit", ABOUT_FRAMES_MAX],
    ["Bytes of each of them", ABOUT_FRAME_BYTES_MAX],
    ["Pairs of a HEARTBEAT", PAIRS_MAX],
    ["Bytes of all names and values of a HEARTBEAT", PAIRS_BYTES_MAX],
    ["Bytes of `progress`, with its address", PROGRESS_BYTES_MAX],
    ["Bytes of metadata", METADATA_BYTES_MAX],
    ["Bytes of a key name", KEY_NAME_BYTES_MAX],
    ["ms of `ttl`, `wait` and `linger`", TTL_MS_MAX],
    ["Bytes of a call id, at least", CALL_ID_BYTES_MIN],
    ["Bytes of a call id, at most", CALL_ID_BYTES_MAX],
    ["Headers", HEADERS_MAX],
    ["Bytes of a header's name", HEADER_NAME_BYTES_MAX],
    ["Bytes of all names and values of headers", HEADERS_BYTES_MAX],
    ["Bytes of options without headers", OPTIONS_BYTES_MAX],
    ["Bytes of options with headers", OPTIONS_WITH_HEADERS_BYTES_MAX],
  ];
  assert.equal(LIMIT_MAX, CREDIT_MAX);
  assert.deepEqual([...bounds], expected);
});

test("docs/PROTOCOL.md, tables: the names, words, statuses and codes of the codec", () => {
  const firstCells = (heading: string) =>
    rowsUnder(heading).flatMap(([first = ""]) => first.replaceAll("`", "").split(" "));
  assert.deepEqual(new Set(firstCells("Capabilities")), new Set(CAPABILITIES));
  const ofReady = firstCells("READY");
  assert.deepEqual(ofReady.slice(ofReady.indexOf("Word") + 1), [...FEATURES]);
  const statuses = firstCells("Calls")
    .map(Number)
    .filter((status) => status >= 100);
  assert.deepEqual(statuses, Object.values(STATUS).sort());
  for (const [name = "", ...cells] of rowsUnder("Dialects")) {
    const command = name.split(" ")[0] as keyof Dialect["workerCommands"];
    if (name.includes(",") || !(command in MDP_0_2.workerCommands)) continue;
    const codes = DIALECTS.map(({ workerCommands }) => workerCommands[command]);
    const texts = codes.map((code) => {
      if (!code) return "none";
      const text = code.length > 1 ? String(code) : `\\x${code.toString("hex")}`;
      return `\`${text}\``;
    });
    assert.deepEqual(cells, texts, command);
  }
});
