// The management services of the broker (8/MMI).

import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS_MS } from "../collections/distribution.ts";
import { MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import {
  dialog,
  disconnect,
  heartbeatCommand,
  id,
  inDialect,
  knowing,
  LEASE_MS,
  ready,
  reply,
  request,
  requestFrom,
} from "./dialog.testing.ts";

const [W1, W2, W3] = ["w1", "w2", "w3"];
const [C1, C2] = ["c1", "c2"];

/** The JSON document after the status 200. */
function document([line = ""]: string[]): unknown {
  const [, json = ""] = /^c1 < mmi\.\w+ 200 (.*)$/.exec(line) ?? [];
  return JSON.parse(json);
}

test("8/MMI: service with workers, idle or busy: 200; without: 404; other mmi.* names: 501, and no READY", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(sends(C1, request("mmi.service", "echo")), ["c1 < mmi.service 200"]);
  sends(C1, request("echo", "busy"));
  assert.deepEqual(sends(C1, requestFrom(["7"], "mmi.service", "echo")), [
    "c1 < 7 mmi.service 200",
  ]);
  assert.deepEqual(sends(C1, request("mmi.service", "none")), ["c1 < mmi.service 404"]);
  sends(C1, request("wanted", "hi"));
  assert.deepEqual(sends(C1, request("mmi.service", "wanted")), ["c1 < mmi.service 404"]);
  assert.deepEqual(sends(C1, request("mmi.echo", "echo")), ["c1 < mmi.echo 501"]);
  assert.deepEqual(sends(C1, request("mmi.", "echo")), ["c1 < mmi. 501"]);
  assert.deepEqual(sends(W2, ready("mmi.service")), ["w2 < DISCONNECT"]);
  assert.deepEqual(sends(W2, ready("mmi.call")), ["w2 < DISCONNECT"]);
  assert.deepEqual(sends(W2, ready("mmi.mine")), ["w2 < DISCONNECT"]);
  assert.deepEqual(sends(W2, ready("mmiecho")), []);
  assert.deepEqual(sends(W3, ready("not.mmi.echo")), []);
});

test("8/MMI: mmi.service of a capability: 200; of any other mmi.* name: 404, also of a service of the broker", () => {
  const { sends } = dialog();
  const asked = (name: string) => sends(C1, request("mmi.service", name));
  for (const name of ["call", "call.headers", "call.progress", "events", "ready"])
    assert.deepEqual(asked(`mmi.${name}`), ["c1 < mmi.service 200"]);
  for (const name of ["service", "services", "workers", "stats"])
    assert.deepEqual(asked(`mmi.${name}`), ["c1 < mmi.service 404"]);
  for (const name of ["mmi.", "mmi.echo", "mmi.call.", "MMI.CALL", ""])
    assert.deepEqual(asked(name), ["c1 < mmi.service 404"]);
});

test("mmi.services: the workers and requests of each service, and its bound", () => {
  const { sends, passesSilently } = dialog({ queueMax: 7 });
  sends(W1, ready("echo", 2));
  sends(W2, ready("echo"));
  for (const body of ["1", "2", "3", "4", "5"]) {
    sends(C1, request("echo", body));
    passesSilently(10);
  }
  sends(C1, request("math", "2 + 2"));
  const services = document(sends(C1, request("mmi.services", ""))) as Record<string, unknown>[];
  assert.deepEqual(
    services.map(({ counters, ...figures }) => figures),
    [
      {
        ...{ service: "echo", workers: 2, waiting: 0, queued: 2, inFlight: 3 },
        ...{ openMax: 7, oldestMs: 20 },
      },
      {
        ...{ service: "math", workers: 0, waiting: 0, queued: 1, inFlight: 0 },
        ...{ openMax: 7, oldestMs: 0 },
      },
    ],
  );
});

test("mmi.services: the counters of a service since its first worker; null before it", () => {
  const { sends, passesSilently, disconnects } = dialog();
  sends(W1, ready("echo", 2));
  sends(C1, request("echo", "answered"));
  passesSilently(20);
  sends(W1, reply(id(1), ""));
  sends(C1, request("echo", "requeued"));
  disconnects(W1);
  sends(C1, request("math", "2 + 2"));
  const [echo, math] = document(sends(C1, request("mmi.services", ""))) as Record<
    string,
    unknown
  >[];
  const none = { failed: 0, refused: 0, expired: 0, quarantined: 0, cancelled: 0, clientGone: 0 };
  assert.deepEqual(echo?.counters, {
    received: 2,
    ended: { answered: 1, ...none },
    requeued: { expired: 0, gone: 1, left: 0, rejected: 0 },
    durations: [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  });
  assert.equal(math?.counters, null);
});

test("mmi.workers: the peer, the name, the service, the dialect, the credit and the requests of each worker", () => {
  const { sends } = dialog();
  const remote = "10.0.0.7:43210";
  const about = { name: "host-1:4711", knows: new Set<never>() };
  sends(W1, ready("echo", 2, about), { who: null, remote });
  sends(W2, ready("math"));
  sends(C1, request("echo", "1"));
  const none = { inFlight: 0, abandoned: 0, requests: [], agesMs: [] };
  const [first, second] = [
    {
      worker: "7731",
      name: "host-1:4711",
      remote,
      service: "echo",
      dialect: "0.1",
      credit: 2,
      inFlight: 1,
      abandoned: 0,
      requests: [id(1).toString("hex")],
      agesMs: [0],
    },
    { worker: "7732", name: null, remote: null, service: "math", dialect: "0.1", credit: null },
  ];
  const workers = () => {
    const all = document(sends(C1, request("mmi.workers", ""))) as Record<string, unknown>[];
    return all.map(({ silentMs, expiresInMs, ...figures }) => figures);
  };
  assert.deepEqual(workers(), [first, { ...second, ...none }]);
  sends(W2, disconnect);
  sends(W2, inDialect(MDP_0_1_TEXT).ready("math"));
  sends(W3, inDialect(MDP_0_2).ready("count", 8));
  const third = { worker: "7733", name: null, remote: null, service: "count", dialect: "0.2" };
  assert.deepEqual(workers(), [
    first,
    { ...second, dialect: "0.1-text", ...none },
    { ...third, credit: 8, ...none },
  ]);
});

test("mmi.workers: the time since the last sign of life, the rest of the lease, the ages of requests", () => {
  const { sends, passesSilently } = dialog();
  const figures = () => {
    const [worker] = document(sends(C1, request("mmi.workers", ""))) as Record<string, unknown>[];
    const { silentMs, expiresInMs, agesMs } = worker ?? assert.fail();
    return { silentMs, expiresInMs, agesMs };
  };
  sends(W1, ready("echo", 2));
  sends(C1, request("echo", "1"));
  passesSilently(100);
  sends(C1, request("echo", "2"));
  assert.deepEqual(figures(), { silentMs: 100, expiresInMs: LEASE_MS - 100, agesMs: [100, 0] });
  sends(W1, heartbeatCommand);
  assert.deepEqual(figures(), { silentMs: 0, expiresInMs: LEASE_MS, agesMs: [100, 0] });
});

test("mmi.workers: twelve requests in flight, the first one settled: eleven, ten ids and one abandoned", () => {
  const { sends, waits } = dialog({ requestTtlMs: 1000 });
  sends(W1, ready("echo", 20));
  sends(C1, request("echo", "expires"));
  waits(500);
  for (let nth = 0; nth < 11; nth += 1) sends(C1, request("echo", "hi"));
  waits(500);
  const [worker] = document(sends(C1, request("mmi.workers", ""))) as Record<string, unknown>[];
  const { inFlight, abandoned, requests } = worker ?? assert.fail();
  assert.deepEqual([inFlight, abandoned], [11, 1]);
  assert.deepEqual(
    requests,
    Array.from({ length: 10 }, (_, nth) => id(nth + 2).toString("hex")),
  );
});

test("mmi.stats: the counts, which add up, and the dead letters without bodies", () => {
  const { sends, waits, disconnects, broker } = dialog({ deliveriesMax: 1 });
  waits(1000);
  sends(W1, ready("echo", 2));
  sends(C2, request("echo", "a secret"));
  sends(C1, request("echo", "answered"));
  sends(W1, reply(id(2), ""));
  disconnects(W1);
  const stats = document(sends(C1, request("mmi.stats", "")));
  assert.deepEqual(stats, {
    ...broker.counts(),
    drift: 0,
    heartbeat: { intervalMs: 1000, liveness: 3 },
    durationBoundsMs: BOUNDS_MS,
    interrupted: [],
    deadLetters: [
      {
        request: id(1).toString("hex"),
        service: "echo",
        client: "6332",
        deliveries: 1,
        worker: "7731",
        reason: "workers removed",
        at: 1000,
      },
    ],
  });
  assert.doesNotMatch(JSON.stringify(stats), /secret/);
});

test("mmi.stats: more than a hundred dead letters: the last hundred", () => {
  const { sends, disconnects } = dialog({ deliveriesMax: 1 });
  for (let nth = 1; nth <= 101; nth += 1) {
    sends(W1, ready("echo", 1));
    sends(C1, request("echo", "poison"));
    disconnects(W1);
  }
  const { deadLetters } = document(sends(C1, request("mmi.stats", ""))) as {
    deadLetters: { request: string }[];
  };
  assert.equal(deadLetters.length, 100);
  assert.equal(deadLetters[0]?.request, id(2).toString("hex"));
});

test("more than ten thousand services: mmi.services lists ten thousand", () => {
  const { sends } = dialog({ servicesMax: 20_000, queueBytesMax: 10 ** 9 });
  for (let nth = 0; nth < 10_001; nth += 1) sends(C2, request(`s${nth}`, "hi"));
  const services = document(sends(C1, request("mmi.services", ""))) as object[];
  assert.equal(services.length, 10_000);
});

test("mmi.stats: a request on its way from a removed worker: queued, in flight, ended", () => {
  const { sends, waits, disconnects } = dialog();
  const interrupted = () => {
    const stats = document(sends(C1, request("mmi.stats", ""))) as { interrupted: object[] };
    return stats.interrupted;
  };
  waits(1000);
  sends(W1, ready("echo", 2));
  sends(C2, request("echo", "a secret"));
  assert.deepEqual(interrupted(), []);
  disconnects(W1);
  const lost = { request: id(1).toString("hex"), service: "echo", from: "7731", at: 1000 };
  const queued = { ...lost, state: "queued", worker: null, name: null, deliveries: 1 };
  assert.deepEqual(interrupted(), [queued]);
  sends(W2, ready("echo", 1, { ...knowing(), name: "host-2:8" }));
  const delivered = { ...lost, worker: "7732", name: "host-2:8", deliveries: 2 };
  assert.deepEqual(interrupted(), [{ ...delivered, state: "inFlight" }]);
  sends(W2, reply(id(1), ""));
  assert.deepEqual(interrupted(), [{ ...delivered, state: "ended" }]);
});

test("mmi.stats: an interrupted request that expires in the queue: ended, without a worker", () => {
  const { sends, waits, disconnects } = dialog({ requestTtlMs: 1000 });
  sends(W1, ready("echo"));
  sends(C2, request("echo", "hi"));
  disconnects(W1);
  waits(1000);
  const { interrupted } = document(sends(C1, request("mmi.stats", ""))) as {
    interrupted: { state: string; worker: string | null }[];
  };
  assert.deepEqual([interrupted[0]?.state, interrupted[0]?.worker], ["ended", null]);
});

test("mmi.stats: twelve workers removed with twelve requests each: the last hundred, ten per worker", () => {
  const { sends, disconnects } = dialog({ queueMax: 1000, servicesMax: 12 });
  for (let nth = 1; nth <= 12; nth += 1) {
    sends(`w${nth}`, ready(`echo${nth}`, 12));
    for (let more = 0; more < 12; more += 1) sends(C2, request(`echo${nth}`, "hi"));
    disconnects(`w${nth}`);
  }
  const { interrupted } = document(sends(C1, request("mmi.stats", ""))) as {
    interrupted: { from: string }[];
  };
  const perWorker = Map.groupBy(interrupted, ({ from }) => from);
  assert.deepEqual(
    [interrupted.length, perWorker.size, perWorker.get("773132")?.length],
    [100, 10, 10],
  );
});
