// The log of the broker: the way of each request at level debug, `mmi.events`, and the rule that no
// call id leaves the broker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { MDP_0_2 } from "../protocol/dialects.ts";
import { decode } from "../protocol/mdp.ts";
import {
  call,
  callIn,
  dialog,
  disconnect,
  heartbeatCommand,
  INCARNATION,
  id,
  inDialect,
  LEASE_MS,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";
import { type BrokerEvent, LEVELS, levelOf, sentenceOf } from "./events.ts";
import { LINES_MAX, LINES_PER_PEER_MAX } from "./line-rate.ts";
import { addBrokerMetrics } from "./metrics.ts";
import { DETAIL_MAX } from "./names.ts";
import { BROKEN_OFF } from "./rejections.ts";

const [W1, W2, W3] = ["w1", "w2", "w3"];
const [C1, C2] = ["c1", "c2"];
const hex = (sequence: number) => id(sequence).toString("hex");
const named = (name: string) => ({ name, knows: new Set<never>() });
const junk = [Buffer.from("junk")];

/** The body of the reply to C1 from mmi.events. */
function eventsReply(broker: ReturnType<typeof dialog>["broker"], ...body: string[]) {
  const [effect] = broker.receive(C1, request("mmi.events", ...body), 0);
  assert.ok(effect?.do === "send");
  const command = decode(effect.frames);
  assert.ok(command.header === "client");
  return command.body;
}

const eventsOf = ([, , json]: Buffer[]): { sequence: number; event: string; at: number }[] =>
  JSON.parse(String(json));

test("worker with a name removed: the log has its name and the ids of its open requests", () => {
  const { sends, disconnects, waits, events } = dialog({ requestTtlMs: 1000 });
  sends(W1, ready("echo", 3, named("host-1:4711")));
  sends(C1, request("echo", "expires"));
  waits(1000);
  sends(C1, request("echo", "1"));
  sends(C1, request("echo", "2"));
  disconnects(W1);
  const [registered] = events("worker.registered");
  assert.ok(registered?.event === "worker.registered");
  assert.equal(registered.name, "host-1:4711");
  const [removed] = events("worker.removed");
  assert.ok(removed?.event === "worker.removed");
  assert.equal(removed.name, "host-1:4711");
  assert.deepEqual([removed.requests, removed.requeued], [[hex(2), hex(3)], 2]);
});

test("worker with twelve requests removed: ten ids, and the counts have all", () => {
  const { sends, disconnects, events } = dialog();
  sends(W1, ready("echo", 20));
  for (let nth = 1; nth <= 12; nth += 1) sends(C1, request("echo", "hi"));
  disconnects(W1);
  const [removed] = events("worker.removed");
  assert.ok(removed?.event === "worker.removed");
  assert.deepEqual([removed.requests.length, removed.requests[9]], [10, hex(10)]);
  assert.equal(removed.requeued, 12);
});

test("request without a reply: dropped if its client was sent nothing, else rejected", () => {
  const { sends, waits, disconnects, log } = dialog({ requestTtlMs: 1000 });
  sends(C1, request("echo", "plain"));
  sends(C1, call("echo", {}, "call"));
  sends(C2, call("echo", { id: "its client disconnects" }, "call"));
  disconnects(C2);
  waits(1000);
  const reason = "no worker registered in time";
  assert.deepEqual(log, [
    { event: "requests.dropped", service: "echo", reason, count: 1 },
    { event: "requests.rejected", service: "echo", status: 404, reason, count: 1 },
  ]);
  waits(10_000);
  assert.deepEqual(log.slice(2), [
    { event: "requests.dropped", service: "echo", reason, count: 1 },
  ]);
});

test("call without a service, and plain stream that broke off: rejected, because both got a status", () => {
  const { sends, disconnects, log } = dialog();
  const streamed = inDialect(MDP_0_2);
  sends(C1, call("", {}, "hi"));
  sends(W1, streamed.ready("count", 2));
  sends(C1, streamed.request("count", "2"));
  sends(W1, streamed.partial(id(1), "one"));
  disconnects(W1);
  const rejected = log.filter(({ event }) => event === "requests.rejected");
  assert.deepEqual(
    rejected.map((event) => "status" in event && [event.service, event.status]),
    [
      ["", 400],
      ["count", BROKEN_OFF.status],
    ],
  );
  assert.ok(log.every(({ event }) => event !== "requests.dropped"));
});

test("drain ends: the log has the counts of all events before", () => {
  const { sends, drains, waits, log } = dialog();
  for (let nth = 0; nth < 5; nth += 1) sends(C1, junk);
  drains();
  waits(1000);
  const dropped = log.filter((event) => event.event === "messages.dropped");
  assert.deepEqual(
    dropped.map((event) => "count" in event && event.count),
    [1, 4],
  );
});

test("level debug: each step of a request by its id, from the arrival to the outcome", () => {
  const { sends, disconnects, passesSilently, broker, log } = dialog();
  broker.traceRequests();
  const streamed = inDialect(MDP_0_2);
  sends(C1, call("count", { id: "an id that is long enough" }, "2"));
  sends(W1, streamed.ready("count", 2));
  disconnects(W1);
  sends(C2, callIn(MDP_0_2)("count", { id: "an id that is long enough" }, "2"));
  sends(W2, streamed.ready("count", 2, named("host-2")));
  sends(W2, streamed.partial(id(1), "one"));
  passesSilently(5);
  sends(W2, streamed.reply(id(1), "two"));
  const request = { request: hex(1), service: "count" };
  assert.deepEqual(
    log.filter((event) => levelOf(event) === "debug"),
    [
      { event: "request.accepted", ...request, client: "6331", isCall: true },
      { event: "request.delivered", ...request, worker: "7731", name: null, delivery: 1 },
      { event: "request.requeued", ...request },
      { event: "request.retried", ...request, client: "6332" },
      { event: "request.delivered", ...request, worker: "7732", name: "host-2", delivery: 2 },
      { event: "request.part", ...request },
      { event: "request.settled", ...request, ending: "answered", ms: 5 },
    ],
  );
});

test("other levels than debug: no event per request, and mmi.events never has one", () => {
  const quiet = dialog();
  const debug = dialog();
  debug.broker.traceRequests();
  for (const { sends } of [quiet, debug]) {
    sends(W1, ready("echo"));
    sends(C1, request("echo", "hi"));
    sends(W1, reply(C1, "HI"));
  }
  assert.deepEqual(
    quiet.log.map(({ event }) => event),
    ["worker.registered"],
  );
  assert.equal(debug.log.length, 4);
  const events = eventsOf(eventsReply(debug.broker, "0"));
  assert.deepEqual(
    events.map(({ event }) => event),
    ["worker.registered"],
  );
});

test("mmi.events: the incarnation and the events after a number; 400 for any other body", () => {
  const { sends, waits, disconnects, broker } = dialog();
  sends(W1, ready("echo"));
  waits(300);
  disconnects(W1);
  const [status, incarnation, json] = eventsReply(broker, "");
  assert.deepEqual([String(status), incarnation], ["200", INCARNATION]);
  assert.deepEqual(
    JSON.parse(String(json)).map((event: object) => Object.entries(event).slice(0, 3)),
    [
      [
        ["sequence", 1],
        ["at", 0],
        ["event", "worker.registered"],
      ],
      [
        ["sequence", 2],
        ["at", 300],
        ["event", "worker.removed"],
      ],
    ],
  );
  assert.deepEqual(
    eventsOf(eventsReply(broker, "1")).map(({ sequence }) => sequence),
    [2],
  );
  for (const body of [["x"], ["-1"], ["0", "0"]])
    assert.deepEqual(sends(C1, request("mmi.events", ...body)), ["c1 < mmi.events 400"]);
  assert.deepEqual(sends(C1, request("mmi.service", "mmi.events")), ["c1 < mmi.service 200"]);
});

test("more events than fit in a message: mmi.events returns the first ones, behind any envelope", () => {
  const { sends, disconnects, broker } = dialog({ messageBytesMax: 4096 });
  for (let nth = 0; nth < 50; nth += 1) {
    sends(W1, ready("echo"));
    disconnects(W1);
  }
  const envelope = [Buffer.alloc(2000, "e"), ...request("mmi.events", "0")];
  const [effect] = broker.receive(C1, envelope, 0);
  assert.ok(effect?.do === "send");
  const bytes = effect.frames.reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes <= 4096 && bytes > 3700, `${bytes} bytes`);
});

test("event of the program around the broker: logged, and in mmi.events", () => {
  const { broker } = dialog();
  const entry: BrokerEvent = { event: "disconnects.undetected", reason: "turned off" };
  assert.deepEqual(broker.report(entry, 7), [{ do: "log", entry }]);
  assert.deepEqual(eventsOf(eventsReply(broker, "0")), [
    { sequence: 1, at: 7, msg: sentenceOf(entry), ...entry },
  ]);
});

test("text of a client: in the detail of a counted line, escaped and cut, and in no key or sentence", () => {
  const { sends, waits, log } = dialog();
  for (let nth = 0; nth < 10_000; nth += 1) {
    const options = { [`${nth}\u009b\n\u202e${"x".repeat(900)}`]: 1 };
    const utf8 = Buffer.from(JSON.stringify(options)).toString("latin1");
    sends(C1, call("echo", utf8, "hi"));
  }
  waits(11_000);
  assert.equal(log.length, 2);
  const [first, rest] = log;
  assert.ok(first?.event === "requests.rejected" && rest?.event === "requests.rejected");
  assert.deepEqual([first.count, rest.count, first.reason], [1, 9999, rest.reason]);
  assert.match(rest.detail ?? "", /^there is no option 9999\\u009b\\u000a\\u202ex+$/);
  assert.ok(rest.detail && rest.detail.length <= DETAIL_MAX);
  assert.equal(sentenceOf(rest), "9999 requests rejected with 400: malformed or unknown options");
});

test("name of a worker: escaped in the log and in mmi.workers", () => {
  const { sends, events } = dialog();
  sends(W1, ready("echo", 2, named("host\u001b[31m\u0085größe")));
  const [registered] = events("worker.registered");
  assert.ok(registered?.event === "worker.registered");
  assert.equal(registered.name, "host\\u001b[31m\\u0085größe");
  assert.match(sends(C1, request("mmi.workers", ""))[0] ?? "", /host\\\\u001b/);
});

test("READY and DISCONNECT in turn on one connection: a line each up to a rate, then counted", () => {
  const { sends, waits, log } = dialog();
  for (let nth = 0; nth < 5000; nth += 1) {
    sends(W1, ready("echo"));
    sends(W1, disconnect);
  }
  waits(10_200);
  assert.ok(log.length <= 2 * LINES_PER_PEER_MAX + 4, `${log.length} lines`);
  const lines = (event: string) => log.filter((entry) => entry.event === event).length;
  const counted = (event: string) =>
    log.reduce(
      (sum, entry) => sum + (entry.event === event && "count" in entry ? entry.count : 0),
      0,
    );
  assert.equal(lines("worker.registered") + counted("workers.registered"), 5000);
  assert.equal(lines("worker.removed") + counted("workers.removed"), 5000);
  sends(W1, ready("echo"));
  assert.equal(log.at(-1)?.event, "worker.registered");
});

test("workers on new connections in a flood: at most so many lines in 10 s", () => {
  const { sends, disconnects, log } = dialog();
  for (let nth = 0; nth < 5000; nth += 1) {
    sends(`w${nth}`, ready("echo"));
    disconnects(`w${nth}`);
  }
  assert.ok(log.length <= 2 * LINES_MAX + 2, `${log.length} lines`);
});

test("many workers register, and one is removed: the removal has its line", () => {
  const { sends, disconnects, log } = dialog();
  for (let nth = 0; nth < 2 * LINES_MAX; nth += 1) sends(`w${nth}`, ready("echo"));
  disconnects(W1);
  assert.equal(log.at(-1)?.event, "worker.removed");
});

const SECRET = "secret-call-id-of-a-client";
/** The events that only main.ts raises. */
const OF_THE_PROGRAM = ["broker.listening", "broker.stopped", "disconnects.undetected"];

test("call ids: in no log line, no reply of mmi.* and no metric, through every event", async () => {
  const { sends, waits, disconnects, freezes, drains, broker, log } = dialog({
    deliveriesMax: 2,
    requestTtlMs: 5000,
    queueMax: 3,
    drainMs: 1000,
  });
  broker.traceRequests();
  const secretIn02 = callIn(MDP_0_2);
  const streamed = inDialect(MDP_0_2);
  const seen: string[] = [];
  const see = (lines: string[]) =>
    seen.push(...lines.filter((line) => / < (FINAL )?mmi\./.test(line)));
  let last = 0;
  const options = (more = {}) => ({ id: `${SECRET}-${++last}`, ...more });
  const retry = () => ({ id: `${SECRET}-${last}` });

  see(sends(C1, call("echo", options({ ttl: 100 }), "expires in the queue")));
  see(waits(200));
  see(sends(C1, call("echo", options({ unknown: 1 }), "malformed")));
  see(sends(C1, call("mmi.workers", options(), "not allowed")));
  for (let nth = 0; nth <= LINES_PER_PEER_MAX; nth += 1) {
    for (const peer of ["w4", "w5"]) sends(peer, ready("quarantine"));
    sends(C1, call("quarantine", options(), "poison"));
    for (const peer of ["w4", "w5"]) disconnects(peer);
  }
  sends(W1, ready("echo", 4, named("host-1")));
  sends(W2, ready("echo", 4));
  see(sends(C1, call("echo", options(), "poison")));
  see(sends(C2, call("math", retry(), "another service")));
  see(sends(C2, call("echo", retry(), "retried")));
  see(disconnects(W1));
  see(disconnects(W2));
  see(sends(C2, call("echo", retry(), "retried after its outcome")));
  sends(W3, streamed.ready("echo", 4));
  see(sends(C1, secretIn02("echo", options(), "streamed")));
  sends(W3, streamed.partial(id(last - 2), "part"));
  see(sends(C1, secretIn02("echo", options({ ttl: 100 }), "expires in flight")));
  see(waits(200));
  see(sends(C1, secretIn02("echo", options(), "cancelled")));
  see(sends(C1, request("mmi.cancel", `${SECRET}-${last}`)));
  for (let nth = 0; nth < 4; nth += 1) see(sends(C1, call("echo", options(), "many")));
  see(sends(W3, streamed.reply(id(999), "late")));
  see(sends(C1, request("echo", "plain, too many")));
  see(sends(C1, request(SECRET.slice(0, 6), "plain, without a worker")));
  see(disconnects(C1));
  for (const name of ["services", "workers", "stats", "events", "ready", "unknown"])
    see(sends(C2, request(`mmi.${name}`, name === "events" ? "0" : SECRET)));
  sends(W1, heartbeatCommand);
  sends(C1, [...junk, Buffer.from(SECRET)]);
  broker.refused({ cause: "protocol", reason: "not ZMTP", from: null });
  const registry = new Registry();
  addBrokerMetrics(registry, broker, "zmtp", () => 0);
  const page = await registry.metrics();
  see(freezes(LEASE_MS * 2));
  sends(W3, disconnect);
  see(sends(C1, call("echo", options({ ttl: 20_000 }), "unanswered")));
  for (const silent of [W1, W2]) {
    sends(silent, ready("echo", 4));
    see(waits(LEASE_MS));
  }
  see(waits(20_000));
  see(drains());
  see(sends(C2, call("echo", options(), "too late")));
  see(waits(10_000));

  const events = new Set(log.map(({ event }) => event));
  const missing = Object.keys(LEVELS).filter((event) => !events.has(event as BrokerEvent["event"]));
  assert.deepEqual(missing.sort(), OF_THE_PROGRAM);
  assert.ok(seen.some((line) => line.includes("worker.removed")));
  const lines = log.map((event) => `${JSON.stringify(event)} ${sentenceOf(event)}`);
  const shown = [...lines, ...seen, page].filter((text) => text.includes("call-id-of"));
  assert.deepEqual(shown, []);
});
