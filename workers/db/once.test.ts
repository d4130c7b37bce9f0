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

test("a request that is delivered again is told what was recorded, and changes nothing", () =>
  withDatabase(async (worker, database) => {
    const first = await worker.ask(INCREMENT, ID);
    assert.deepEqual(await worker.ask(INCREMENT, ID), first);
    await worker.ask(INCREMENT, "another id");
    await using another = await Opened.of(database);
    assert.deepEqual(await another.ask(INCREMENT, ID), first);
    assert.equal(await counted(worker), 2);
  }));

test("each command that changes something does so once", () =>
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

test("a refusal is recorded like any other outcome", () =>
  withDatabase(async (worker) => {
    const put = { command: "put", key: "a", value: 1, expectedVersion: 1 };
    const refused = await worker.refusal(put, ID);
    assert.equal(refused, '409 "a" is absent, not at version 1');
    await worker.ask({ command: "put", key: "a", value: 0 });
    assert.equal(await worker.refusal(put, ID), refused);
    const batch = { command: "batch", commands: [INCREMENT, put] };
    await worker.ask({ command: "delete", key: "a" });
    const all = await worker.refusal(batch, "the batch");
    await worker.ask({ command: "put", key: "a", value: 0 });
    assert.equal(await worker.refusal(batch, "the batch"), all);
    assert.equal(
      await worker.refusal({ command: "get", key: "counter" }),
      '404 no document "counter"',
    );
  }));

test("reading is never recorded: it tells what is there now", () =>
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

test("what its client calls a request counts before what the broker calls it", () =>
  withDatabase(async (worker) => {
    const named = { ...INCREMENT, id: "order 17" };
    const first = await worker.ask(named, "one broker's");
    assert.deepEqual(await worker.ask(named, "another broker's"), first);
    assert.deepEqual(await worker.ask(named), first);
    assert.equal(await counted(worker), 1);
  }));

test("ids of clients and of brokers are never taken for one another", () =>
  withDatabase(async (worker) => {
    await worker.ask(INCREMENT, ID);
    await worker.ask({ ...INCREMENT, id: ID });
    await worker.ask({ ...INCREMENT, id: `broker ${ID}` });
    assert.equal(await counted(worker), 3);
  }));

test("a request without any id is executed whenever it comes", () =>
  withDatabase(async (worker) => {
    for (const expected of [1, 2, 3]) assert.equal((await worker.ask(INCREMENT)).value, expected);
  }));

test("an id cannot be given to two commands", () =>
  withDatabase(async (worker) => {
    await worker.ask({ ...INCREMENT, id: "a" });
    const sentence = "409 this id was given to another command before";
    assert.equal(await worker.refusal({ ...INCREMENT, by: 2, id: "a" }), sentence);
    assert.equal(await worker.refusal({ command: "delete", key: "counter", id: "a" }), sentence);
    assert.equal(await counted(worker), 1);
  }));

test("a request that is delivered to several workers at once is executed by one", async () => {
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

test("a record is kept for as long as was said, and then the id is a new one", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database, { recordsMs: 200 });
  assert.equal((await worker.ask(INCREMENT, ID)).value, 1);
  const expired = performance.now() + 1000;
  // Not expired yet, unless this took a fifth of a second: then it is another increment.
  const value = async () => (await worker.ask(INCREMENT, ID)).value;
  while ((await value()) === 1) assert.ok(performance.now() < expired, "the record never expires");
});

test("there are never many more records than may be kept, and the newest are", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database, { recordsMax: 50 });
  for (let nth = 1; nth <= 120; nth += 1) await worker.ask(INCREMENT, `id ${nth}`);
  // Those of the last 50 at least are there, those of the first 60 are not.
  assert.equal((await worker.ask(INCREMENT, "id 90")).value, 90);
  assert.equal((await worker.ask(INCREMENT, "id 60")).value, 121);
});

test("records that are too old are removed when a worker starts", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database);
  for (let nth = 1; nth <= 20; nth += 1) await worker.ask(INCREMENT, `id ${nth}`);
  await using _next = await Opened.of(database, { recordsMax: 10 });
  assert.equal((await worker.ask(INCREMENT, "id 20")).value, 20);
  assert.equal((await worker.ask(INCREMENT, "id 1")).value, 21);
});
