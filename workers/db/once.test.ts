import assert from "node:assert/strict";
import { test } from "node:test";
import { type EmptyDatabase, emptyDatabase, Opened } from "./empty-database.testing.ts";

const INCREMENT = { command: "increment", key: "counter" };
const ID = "000102030405060700000000000000ff";

async function withDatabase(work: (worker: Opened, database: EmptyDatabase) => Promise<void>) {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database);
  await work(worker, database);
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

test("more than recordsMax records: the oldest are deleted", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database, { recordsMax: 50 });
  for (let nth = 1; nth <= 120; nth += 1) await worker.ask(INCREMENT, `id ${nth}`);
  // At least the last 50 records exist; those of the first 60 requests do not.
  assert.equal((await worker.ask(INCREMENT, "id 90")).value, 90);
  assert.equal((await worker.ask(INCREMENT, "id 60")).value, 121);
});

test("worker starts: surplus records are deleted", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database);
  for (let nth = 1; nth <= 20; nth += 1) await worker.ask(INCREMENT, `id ${nth}`);
  await using _next = await Opened.of(database, { recordsMax: 10 });
  assert.equal((await worker.ask(INCREMENT, "id 20")).value, 20);
  assert.equal((await worker.ask(INCREMENT, "id 1")).value, 21);
});
