// The errors of requests, through a client whose broker is a script.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { CALL, encodeStatus } from "../protocol/call.ts";
import { MDP_0_1 } from "../protocol/dialects.ts";
import { encodeErrorReply } from "../protocol/error-reply.ts";
import { EMPTY, type Frame } from "../protocol/frame.ts";
import type { Transport } from "../transport/transport.ts";
import { Client, RequestError, type Unreachable } from "./client.ts";

const ENDPOINT = "tcp://127.0.0.1:1";
const CALL_ID = "a call id that nobody guesses";

/** A broker that answers each capability probe with 200, and each call with this body. */
const answering = (body: Frame[]): Transport => ({
  version: "answering",
  bind: () => Promise.reject(new Error("this transport only connects")),
  connect(_endpoint, _timing, events) {
    const send = ([envelope = EMPTY]: Frame[]) => {
      const isProbe = envelope.length === 0;
      const address = isProbe ? [EMPTY] : [envelope, EMPTY];
      const reply = isProbe ? [Buffer.from("mmi.service"), Buffer.from("200")] : [CALL, ...body];
      queueMicrotask(() => events.message([...address, MDP_0_1.clientHeader, ...reply]));
    };
    queueMicrotask(() => events.opened());
    return { send, close() {} };
  },
});

/** No connection is ever made. */
const UNREACHABLE: Transport = {
  ...answering([]),
  connect: () => ({ send() {}, close() {} }),
};

/** A broker that answers nothing. */
const SILENT: Transport = {
  ...UNREACHABLE,
  connect(_endpoint, _timing, events) {
    queueMicrotask(() => events.opened());
    return { send() {}, close() {} };
  },
};

async function errorOf(request: Promise<unknown>): Promise<RequestError> {
  const error = await request.then(
    () => assert.fail("the request has a reply"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof RequestError, String(error));
  return error;
}

const shown = ({ name, code, service, callId, status }: RequestError) => ({
  name,
  code,
  service,
  callId,
  status,
});

for (const [title, body, expected] of [
  [
    "error reply of a service",
    encodeStatus(409, encodeErrorReply(409, "it is taken")),
    { name: "ServiceFailed", code: "MDP_SERVICE_FAILED", status: 409 },
  ],
  [
    "status of the broker",
    encodeStatus(404, "no worker"),
    { name: "NoWorker", code: "MDP_NO_WORKER", status: 404 },
  ],
  [
    "status 504",
    encodeStatus(504, "it broke off"),
    { name: "BrokenOff", code: "MDP_BROKEN_OFF", status: 504 },
  ],
] as const) {
  test(`${title}: the error has code, service, call id and status`, async () => {
    const client = new Client(ENDPOINT, { transport: answering(body) });
    const error = await errorOf(client.request("echo", "hi", { id: CALL_ID }));
    assert.deepEqual(shown(error), { ...expected, service: "echo", callId: CALL_ID });
    client.close();
  });
}

test("time-out, no broker and client closed: the error has the call id and no status", async () => {
  const client = new Client(ENDPOINT, { transport: SILENT });
  const rest = { service: "echo", callId: CALL_ID, status: null };
  const timedOut = { name: "TimedOut", code: "MDP_TIMED_OUT", ...rest };
  const first = client.request("echo", "hi", { id: CALL_ID, timeoutMs: 1 });
  assert.deepEqual(shown(await errorOf(first)), timedOut);
  const other = new Client(ENDPOINT, { transport: UNREACHABLE, silenceMs: 1, tries: 1 });
  const noBroker = { name: "NoBroker", code: "MDP_NO_BROKER", ...rest };
  const second = other.request("echo", "hi", { id: CALL_ID });
  assert.deepEqual(shown(await errorOf(second)), noBroker);
  const early = other.request("echo", "hi", { id: CALL_ID, timeoutMs: 1 });
  assert.deepEqual(shown(await errorOf(early)), noBroker);
  other.close();
  const closed = { name: "Closed", code: "MDP_CLOSED", ...rest };
  const outstanding = errorOf(client.request("echo", "hi", { id: CALL_ID }));
  client.close();
  assert.deepEqual(shown(await outstanding), closed);
  assert.deepEqual(shown(await errorOf(client.request("echo", "hi", { id: CALL_ID }))), closed);
});

test("failed attempts to connect: onUnreachable receives each code once, with the next try", async () => {
  const reported: unknown[] = [];
  const failures = ["ENOTFOUND", "ECONNREFUSED", "ECONNREFUSED"];
  const transport: Transport = {
    ...UNREACHABLE,
    connect(_endpoint, _timing, events) {
      for (const code of failures) events.failed({ code, message: `it is ${code}`, retryMs: 77 });
      return { send() {}, close() {} };
    },
  };
  const onUnreachable = (failure: Unreachable) => reported.push(failure);
  const client = new Client(ENDPOINT, { transport, onUnreachable });
  const outstanding = errorOf(client.request("echo", "hi"));
  client.close();
  assert.deepEqual(
    reported,
    ["ENOTFOUND", "ECONNREFUSED"].map((code) => ({
      broker: ENDPOINT,
      code,
      reason: `it is ${code}`,
      retryMs: 77,
    })),
  );
  await outstanding;
});

test("request without a call id: the error has the one of the client; mmi.*: none", async () => {
  const client = new Client(ENDPOINT, { transport: UNREACHABLE });
  const errors = ["echo", "mmi.service"].map((name) => errorOf(client.request(name, "hi")));
  client.close();
  const [call, management] = await Promise.all(errors);
  assert.match(String(call?.callId), /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  assert.equal(management?.callId, null);
});

test("error in a log: without the call id, which fetches the reply", async () => {
  const client = new Client(ENDPOINT, { transport: UNREACHABLE });
  const error = errorOf(client.request("echo", "hi", { id: CALL_ID }));
  client.close();
  assert.doesNotMatch(inspect(await error), new RegExp(CALL_ID));
  assert.doesNotMatch(JSON.stringify(await error), new RegExp(CALL_ID));
});
