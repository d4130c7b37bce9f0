import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Kysely } from "kysely";
import { type EmptyDatabase, emptyDatabase, Opened } from "./empty-database.testing.ts";
import type { Tables } from "./engine.ts";
import { namesOf } from "./once.ts";

const INCREMENT = { command: "increment", key: "counter" };
const ID = "000102030405060700000000000000ff";

const CALL = "a call id of a caller, a random one";

/** The ids of a request with the call id CALL, or of another one. */
const call = (requestId: string, id = CALL) => ({ id, requestId });

async function withDatabase(work: (worker: Opened, database: EmptyDatabase) => Promise<void>) {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database);
  await work(worker, database);
}

async function withTables<T>(
  { engine }: EmptyDatabase,
  work: (tables: Kysely<Tables>) => Promise<T>,
) {
  await using tables = new Kysely<Tables>({ dialect: engine().dialect });
  return await work(tables);
}

/** The records by their names. */
async function recordsOf(database: EmptyDatabase) {
  const query = (tables: Kysely<Tables>) =>
    tables.selectFrom("records").selectAll().orderBy("id").execute();
  return new Map((await withTables(database, query)).map((row) => [row.id, row]));
}

const counted = async (worker: Opened) =>
  (await worker.ask({ command: "get", key: "counter" })).value;

test("request delivered again: recorded outcome, no change", () =>
  withDatabase(async (worker, database) => {
    const first = await worker.ask(INCREMENT, ID);
    assert.deepEqual(await worker.ask(INCREMENT, ID), first);
    await worker.ask(INCREMENT, "another id");
    await using another = await Opened.of(database);
    assert.deepEqual(await another.ask(INCREMENT, ID), first);
    assert.equal(await counted(worker), 2);
  }));

test("each changing command executed twice: changes once", () =>
  withDatabase(async (worker) => {
    const commands = [
      { command: "put", key: "a", value: 1 },
      { command: "put", key: "b", value: 1, expectedVersion: 0 },
      { command: "increment", key: "a" },
      { command: "delete", key: "b" },
      { command: "batch", commands: [{ command: "increment", key: "a" }] },
    ];
    for (const [at, command] of commands.entries()) {
      const first = await worker.ask(command, `id ${at}`);
      assert.deepEqual(await worker.ask(command, `id ${at}`), first, JSON.stringify(command));
    }
    const { documents } = await worker.ask({ command: "list" });
    assert.deepEqual(documents, [{ key: "a", value: 3, version: 3 }]);
  }));

test("error reply: recorded like any other outcome", () =>
  withDatabase(async (worker) => {
    const put = { command: "put", key: "a", value: 1, expectedVersion: 1 };
    const rejected = await worker.rejection(put, ID);
    assert.equal(rejected, '409 "a" is absent, not at version 1');
    await worker.ask({ command: "put", key: "a", value: 0 });
    assert.equal(await worker.rejection(put, ID), rejected);
    const batch = { command: "batch", commands: [INCREMENT, put] };
    await worker.ask({ command: "delete", key: "a" });
    const all = await worker.rejection(batch, "the batch");
    await worker.ask({ command: "put", key: "a", value: 0 });
    assert.equal(await worker.rejection(batch, "the batch"), all);
    assert.equal(
      await worker.rejection({ command: "get", key: "counter" }),
      '404 no document "counter"',
    );
  }));

test("get delivered again: not recorded, returns the current value", () =>
  withDatabase(async (worker) => {
    const get = { command: "get", key: "counter" };
    const batch = { command: "batch", commands: [get] };
    await worker.ask(INCREMENT);
    assert.equal((await worker.ask(get, ID)).value, 1);
    assert.equal((await worker.ask(batch, ID)).results[0].value, 1);
    await worker.ask(INCREMENT);
    assert.equal((await worker.ask(get, ID)).value, 2);
    assert.equal((await worker.ask(batch, ID)).results[0].value, 2);
    assert.equal((await worker.ask(INCREMENT, ID)).value, 3);
  }));

test("client id and broker id: the client id counts", () =>
  withDatabase(async (worker) => {
    const named = { ...INCREMENT, id: "order 17" };
    const first = await worker.ask(named, "one broker's");
    assert.deepEqual(await worker.ask(named, "another broker's"), first);
    assert.deepEqual(await worker.ask(named), first);
    assert.equal(await counted(worker), 1);
  }));

test("same id from a client and a broker: two requests", () =>
  withDatabase(async (worker) => {
    await worker.ask(INCREMENT, ID);
    await worker.ask({ ...INCREMENT, id: ID });
    await worker.ask({ ...INCREMENT, id: `broker ${ID}` });
    assert.equal(await counted(worker), 3);
  }));

test("request without an id: executed each time", () =>
  withDatabase(async (worker) => {
    for (const expected of [1, 2, 3]) assert.equal((await worker.ask(INCREMENT)).value, expected);
  }));

test("id used by two commands: 409", () =>
  withDatabase(async (worker) => {
    await worker.ask({ ...INCREMENT, id: "a" });
    const sentence = "409 this id is already used by another command";
    assert.equal(await worker.rejection({ ...INCREMENT, by: 2, id: "a" }), sentence);
    assert.equal(await worker.rejection({ command: "delete", key: "counter", id: "a" }), sentence);
    assert.equal(await counted(worker), 1);
  }));

test("request delivered to several workers at once: executed once", async () => {
  const database = await emptyDatabase();
  await using one = await Opened.of(database);
  await using other = await Opened.of(database);
  for (let round = 0; round < 20; round += 1) {
    const id = `round ${round}`;
    const asked = [one, other, one, other].map((worker) => worker.ask(INCREMENT, id));
    const values = (await Promise.all(asked)).map(({ value }) => value);
    assert.deepEqual(values, Array(4).fill(round + 1));
  }
});

test("call asked of two brokers, and of one that was restarted: executed once", () =>
  withDatabase(async (worker, database) => {
    const first = await worker.ask(INCREMENT, call("A 1"));
    await using another = await Opened.of(database);
    for (const requestId of ["A 1", "B 1", "A restarted 1", "B 1"]) {
      assert.deepEqual(await another.ask(INCREMENT, call(requestId)), first, requestId);
    }
    assert.deepEqual(await worker.ask(INCREMENT, { id: CALL, requestId: null }), first);
    assert.equal((await worker.ask(INCREMENT, call("A 2", `${CALL} 2`))).value, 2);
    assert.equal(await counted(worker), 2);
  }));

test("call executed by a worker of 0.1.0, which knows the request id: executed once", () =>
  withDatabase(async (worker) => {
    const first = await worker.ask(INCREMENT, "A 1"); // As 0.1.0 does.
    assert.deepEqual(await worker.ask(INCREMENT, call("A 1")), first);
    assert.deepEqual(await worker.ask(INCREMENT, call("B 1")), first);
    assert.equal(await counted(worker), 1);
  }));

test("call executed here, then delivered to workers of 0.1.0: executed once", () =>
  withDatabase(async (worker) => {
    const first = await worker.ask(INCREMENT, call("A 1"));
    assert.deepEqual(await worker.ask(INCREMENT, call("B 1")), first);
    for (const id of ["A 1", "B 1"]) assert.deepEqual(await worker.ask(INCREMENT, id), first, id);
    assert.equal(await counted(worker), 1);
  }));

test("error reply of a call: recorded under both names", () =>
  withDatabase(async (worker) => {
    const put = { command: "put", key: "a", value: 1, expectedVersion: 1 };
    const rejected = await worker.rejection(put, call("A 1"));
    await worker.ask({ command: "put", key: "a", value: 0 });
    assert.equal(await worker.rejection(put, call("B 1")), rejected);
    assert.equal(await worker.rejection(put, "A 1"), rejected);
    assert.equal(await worker.rejection(put, "B 1"), rejected);
  }));

test("call and request recorded with two outcomes: that of the call counts", () =>
  withDatabase(async (worker) => {
    const first = await worker.ask(INCREMENT, call("A 1"));
    assert.equal((await worker.ask(INCREMENT, "B 1")).value, 2); // 0.1.0 at another broker.
    assert.deepEqual(await worker.ask(INCREMENT, call("B 1")), first);
    assert.equal((await worker.ask(INCREMENT, "B 1")).value, 2);
    assert.equal(await counted(worker), 2);
  }));

test("call id used by two commands: 409, and the other name stays free", () =>
  withDatabase(async (worker, database) => {
    await worker.ask(INCREMENT, call("A 1"));
    const sentence = "409 this id is already used by another command";
    assert.equal(await worker.rejection({ ...INCREMENT, by: 2 }, call("B 1")), sentence);
    assert.equal((await recordsOf(database)).has("broker B 1"), false);
    await worker.ask({ command: "put", key: "a", value: 1 }, "B 2");
    assert.equal(await worker.rejection(INCREMENT, call("B 2")), sentence);
    assert.equal(await counted(worker), 1);
  }));

test("client id in the command and call id: the client id counts", () =>
  withDatabase(async (worker, database) => {
    const named = { ...INCREMENT, id: "order 17" };
    const first = await worker.ask(named, call("A 1"));
    assert.deepEqual(await worker.ask(named, call("B 1", `${CALL} 2`)), first);
    assert.deepEqual([...(await recordsOf(database)).keys()], ["client order 17"]);
  }));

test("records of a call: those of 0.1.0, and one without the call id", () =>
  withDatabase(async (worker, database) => {
    const secret = `alice\0${CALL}`;
    await worker.ask(INCREMENT, call(ID, secret));
    const records = await recordsOf(database);
    const hash = (text: string) => createHash("sha256").update(text).digest("base64url");
    const names = [`broker ${ID}`, `call ${hash(secret)}`];
    assert.deepEqual([...records.keys()], names);
    const command = '{"command":"increment","key":"counter","by":1}';
    const reply = '{"key":"counter","value":1,"version":1}';
    const { at = 0 } = records.get(`broker ${ID}`) ?? {};
    assert.ok(Math.abs(Date.now() - at) < 60_000, `recorded at ${at}`);
    for (const id of names) {
      const record = { id, fingerprint: hash(command), at, code: 200, reply };
      assert.deepEqual({ ...records.get(id) }, record);
    }
  }));

test("longest call id and key name: recorded", () =>
  withDatabase(async (worker) => {
    const longest = `${"é".repeat(127)}k\0${"é".repeat(64)}`;
    const first = await worker.ask(INCREMENT, call("A 1", longest));
    assert.deepEqual(await worker.ask(INCREMENT, call("B 1", longest)), first);
    assert.equal((await worker.ask(INCREMENT, call("B 2", `${longest.slice(1)}x`))).value, 2);
  }));

test("names of a request: the request id first, at each worker", () => {
  const requestId = ID;
  assert.deepEqual(namesOf(null, { id: null, requestId: null }), []);
  assert.deepEqual(namesOf(null, { id: ID, requestId }), [`broker ${ID}`]);
  assert.deepEqual(namesOf("a", { id: CALL, requestId }), ["client a"]);
  const [first, second, ...more] = namesOf(null, { id: CALL, requestId });
  assert.equal(first, `broker ${ID}`);
  assert.match(second ?? "", /^call [\w-]{43}$/);
  assert.deepEqual(more, []);
  assert.deepEqual(namesOf(null, { id: CALL, requestId: null }), [second]);
});

test("call delivered to several workers at once, from three brokers: executed once", async () => {
  const database = await emptyDatabase();
  await using one = await Opened.of(database);
  await using other = await Opened.of(database);
  for (let round = 0; round < 20; round += 1) {
    const before = round === 0 ? 0 : await counted(one);
    const at = (broker: string) => call(`${broker} ${round}`, `${CALL} ${round}`);
    const calls = ["A", "B", "B", "A", "C", "A"].map((broker, nth) =>
      (nth % 2 === 0 ? one : other).ask(INCREMENT, at(broker)),
    );
    // 0.1.0 may execute the request of A meanwhile, but not twice.
    const requests = [one, other].map((worker) => worker.ask(INCREMENT, `A ${round}`));
    const valuesOf = async (asked: Promise<{ value: number }>[]) =>
      new Set((await Promise.all(asked)).map(({ value }) => value));
    const [ofCalls, ofRequests] = [await valuesOf(calls), await valuesOf(requests)];
    assert.deepEqual([ofCalls.size, ofRequests.size], [1, 1], `round ${round}`);
    assert.equal(await counted(one), before + new Set([...ofCalls, ...ofRequests]).size);
  }
});

test("record older than recordsMs: the request is executed again", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database, { recordsMs: 200 });
  assert.equal((await worker.ask(INCREMENT, ID)).value, 1);
  const first = performance.now();
  // The record expires after 200 ms; then the request is another increment. An answer may come late on
  // a busy machine, so the age of the record counts when the request is sent.
  for (;;) {
    const ageMs = performance.now() - first;
    if ((await worker.ask(INCREMENT, ID)).value !== 1) break;
    assert.ok(ageMs < 1000, `a record of ${ageMs} ms exists`);
  }
});

test("record found by one name: the other name gets its time, so both expire together", () =>
  withDatabase(async (worker, database) => {
    await worker.ask(INCREMENT, "A 1");
    const executed = (await recordsOf(database)).get("broker A 1")?.at;
    // The clock of a SQLite file has steps of 10 ms.
    const later = Date.now() + 20;
    while (Date.now() < later);
    await worker.ask(INCREMENT, call("A 1"));
    await worker.ask(INCREMENT, call("B 1"));
    const records = await recordsOf(database);
    assert.deepEqual(
      [...records.values()].map(({ at }) => at),
      [executed, executed, executed],
    );
  }));
