import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_BYTES_MAX } from "./commands.ts";
import { emptyDatabase, Opened } from "./empty-database.testing.ts";

type Page = { documents: { key: string; value: unknown; version: number }[]; cursor: string };

async function withDatabase(work: (worker: Opened) => Promise<void>) {
  await using worker = await Opened.of(await emptyDatabase());
  await work(worker);
}

test("put, get, put, delete: the document and its version each time", () =>
  withDatabase(async (worker) => {
    const value = { name: "Ada", born: 1815, "__proto__ ": [true, null, 0.1, "\u0000 % ' é"] };
    const key = "user:1 ' é";
    assert.deepEqual(await worker.ask({ command: "put", key, value }), { key, version: 1 });
    const got = await worker.ask({ command: "get", key });
    assert.deepEqual(got, { key, value, version: 1 });
    assert.deepEqual(await worker.ask({ command: "put", key, value: 7 }), { key, version: 2 });
    const again = await worker.ask({ command: "get", key });
    assert.deepEqual(again, { key, value: 7, version: 2 });
    const deleted = await worker.ask({ command: "delete", key });
    assert.deepEqual(deleted, { key, deleted: true });
    assert.equal(await worker.rejection({ command: "get", key }), '404 no document "user:1 \' é"');
    const gone = await worker.ask({ command: "delete", key });
    assert.deepEqual(gone, { key, deleted: false });
    assert.deepEqual(await worker.ask({ command: "put", key, value }), { key, version: 1 });
  }));

test("database opened again: documents still there", async () => {
  const database = await emptyDatabase();
  await using first = await Opened.of(database);
  await first.ask({ command: "put", key: "a", value: 1 });
  await using second = await Opened.of(database);
  const expected = { key: "a", value: 1, version: 1 };
  assert.deepEqual(await second.ask({ command: "get", key: "a" }), expected);
});

test("list: keys in the order of their bytes, page by page", () =>
  withDatabase(async (worker) => {
    // In the order of UTF-16 the last two would be swapped.
    const keys = ["A", "B", "a", "a:1", "a:10", "a:2", "é", "\uffee", "\u{1f600}"];
    for (const key of keys.toReversed()) await worker.ask({ command: "put", key, value: key });
    await worker.ask({ command: "put", key: "A", value: "A" });
    const all: Page = await worker.ask({ command: "list" });
    assert.deepEqual(
      all.documents,
      keys.map((key) => ({ key, value: key, version: key === "A" ? 2 : 1 })),
    );
    assert.equal(all.cursor, null);

    const paged: string[][] = [];
    let cursor: string | undefined;
    do {
      const page: Page = await worker.ask({ command: "list", limit: 3, cursor });
      paged.push(page.documents.map(({ key }) => key));
      cursor = page.cursor;
    } while (cursor !== null);
    assert.deepEqual(paged, [keys.slice(0, 3), keys.slice(3, 6), keys.slice(6)]);
  }));

test("prefix with wildcards: taken literally", () =>
  withDatabase(async (worker) => {
    for (const key of ["a%b", "aXb", "a_b", "a", "b", "\u{10ffff}\u{10ffff}", "\u{10ffff}"]) {
      await worker.ask({ command: "put", key, value: 0 });
    }
    const keys = async (prefix: string, cursor?: string) => {
      const page: Page = await worker.ask({ command: "list", prefix, cursor });
      return page.documents.map(({ key }) => key);
    };
    assert.deepEqual(await keys("a%"), ["a%b"]);
    assert.deepEqual(await keys("a_"), ["a_b"]);
    assert.deepEqual(await keys("a"), ["a", "a%b", "aXb", "a_b"]);
    assert.deepEqual(await keys("a", "aXb"), ["a_b"]);
    assert.deepEqual(await keys("b", "a"), ["b"]);
    assert.deepEqual(await keys("\u{10ffff}"), ["\u{10ffff}", "\u{10ffff}\u{10ffff}"]);
    assert.deepEqual(await keys("c"), []);
  }));

test("page larger than 1 MiB: ends early, the cursor continues", () =>
  withDatabase(async (worker) => {
    const value = "x".repeat(200_000);
    const fit = Math.ceil(PAGE_BYTES_MAX / value.length);
    for (let index = 0; index < fit + 2; index += 1) {
      await worker.ask({ command: "put", key: `large:${index}`, value });
    }
    const page: Page = await worker.ask({ command: "list", prefix: "large:" });
    assert.equal(page.documents.length, fit);
    const { cursor } = page;
    assert.equal(cursor, `large:${fit - 1}`);
    const rest: Page = await worker.ask({ command: "list", prefix: "large:", cursor });
    assert.equal(rest.documents.length, 2);
    assert.equal(rest.cursor, null);
  }));

test("increment: starts at 0, adds negative numbers too", () =>
  withDatabase(async (worker) => {
    const key = "counter";
    const add = (by?: number) => worker.ask({ command: "increment", key, by });
    assert.deepEqual(await add(), { key, value: 1, version: 1 });
    assert.deepEqual(await add(41), { key, value: 42, version: 2 });
    assert.deepEqual(await add(-50), { key, value: -8, version: 3 });
    const got = await worker.ask({ command: "get", key });
    assert.deepEqual(got, { key, value: -8, version: 3 });
  }));

test("increment of no whole number or beyond 2^53: 409, unchanged", () =>
  withDatabase(async (worker) => {
    const most = Number.MAX_SAFE_INTEGER;
    const rejected = async (value: unknown, by = 1) => {
      const { version } = await worker.ask({ command: "put", key: "a", value });
      const sentence = await worker.rejection({ command: "increment", key: "a", by });
      const after = await worker.ask({ command: "get", key: "a" });
      assert.deepEqual(after, { key: "a", value, version });
      return sentence;
    };
    for (const value of ["1", "", 1.5, [1], { a: 1 }, true, null]) {
      assert.equal(await rejected(value), '409 cannot increment "a": it is not a whole number');
    }
    for (const value of [1e20, 1e21, -1e300]) {
      const sum = "its sum with 1 would be beyond 2^53";
      assert.equal(await rejected(value), `409 cannot increment "a": ${sum}`);
    }
    const beyond = (by: number) => `409 cannot increment "a": its sum with ${by} would be beyond`;
    assert.equal(await rejected(most), `${beyond(1)} 2^53`);
    assert.equal(await rejected(-most, -1), `${beyond(-1)} 2^53`);
    assert.equal(await rejected(most, most), `${beyond(most)} 2^53`);
    await worker.ask({ command: "put", key: "a", value: most - 1 });
    const last = await worker.ask({ command: "increment", key: "a" });
    assert.equal(last.value, most);
  }));

test("put with expectedVersion: done at that version, else 409", () =>
  withDatabase(async (worker) => {
    const put = (value: unknown, expectedVersion: number) =>
      ({ command: "put", key: "a", value, expectedVersion }) as const;
    assert.equal(await worker.rejection(put(1, 1)), '409 "a" is absent, not at version 1');
    assert.deepEqual(await worker.ask(put(1, 0)), { key: "a", version: 1 });
    assert.equal(await worker.rejection(put(2, 0)), '409 "a" is at version 1, not at version 0');
    assert.deepEqual(await worker.ask(put(2, 1)), { key: "a", version: 2 });
    assert.equal(await worker.rejection(put(3, 1)), '409 "a" is at version 2, not at version 1');
    const expected = { key: "a", value: 2, version: 2 };
    assert.deepEqual(await worker.ask({ command: "get", key: "a" }), expected);
  }));

test("eight puts at once expect the same version: one succeeds", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database);
  await using another = await Opened.of(database);
  for (let expectedVersion = 0; expectedVersion < 5; expectedVersion += 1) {
    const puts = Array.from({ length: 8 }, (_, value) =>
      [worker, another][value % 2]
        ?.ask({ command: "put", key: "a", value, expectedVersion })
        .then(() => "done")
        .catch(({ code }) => code),
    );
    const outcomes = await Promise.all(puts);
    assert.deepEqual(outcomes.sort(), [...Array(7).fill(409), "done"]);
  }
});

test("batch: executed in order, results in order", () =>
  withDatabase(async (worker) => {
    await worker.ask({ command: "put", key: "old", value: "x" });
    const commands = [
      { command: "put", key: "a", value: 41 },
      { command: "increment", key: "a" },
      { command: "get", key: "a" },
      { command: "delete", key: "old" },
      { command: "put", key: "old", value: "y", expectedVersion: 0 },
    ];
    assert.deepEqual(await worker.ask({ command: "batch", commands }), {
      results: [
        { key: "a", version: 1 },
        { key: "a", value: 42, version: 2 },
        { key: "a", value: 42, version: 2 },
        { key: "old", deleted: true },
        { key: "old", version: 1 },
      ],
    });
  }));

test("batch with one bad command: rejected, nothing changed", () =>
  withDatabase(async (worker) => {
    await worker.ask({ command: "put", key: "a", value: "x" });
    const bad = [
      [{ command: "put", key: "a", value: 1, expectedVersion: 7 }, /^409 .*"a" is at version/],
      [{ command: "increment", key: "a" }, /^409 .*cannot increment "a"/],
      [{ command: "get", key: "c" }, /^404 .*no document "c"/],
    ] as const;
    for (const [command, sentence] of bad) {
      const commands = [
        { command: "put", key: "b", value: 1 },
        { command: "increment", key: "counter" },
        { command: "delete", key: "a" },
        { command: "put", key: "a", value: "y" },
        command,
      ];
      const rejection = await worker.rejection({ command: "batch", commands });
      assert.match(rejection, sentence);
      assert.match(rejection, / nothing was changed, because commands\.4 failed: /);
    }
    const { documents } = await worker.ask({ command: "list" });
    assert.deepEqual(documents, [{ key: "a", value: "x", version: 1 }]);
  }));

test("results of a batch larger than 1 MiB: 413, nothing changed", () =>
  withDatabase(async (worker) => {
    const value = "x".repeat(200_000);
    await worker.ask({ command: "put", key: "large", value });
    const get = { command: "get", key: "large" };
    const commands = [{ command: "put", key: "a", value: 1 }, ...Array(6).fill(get)];
    assert.equal(
      await worker.rejection({ command: "batch", commands }),
      "413 nothing was changed, because commands.6 failed: the results have more than 1 MiB",
    );
    assert.equal(await worker.rejection({ command: "get", key: "a" }), '404 no document "a"');
  }));

test("batch of gets during writes: one consistent snapshot", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database);
  await using another = await Opened.of(database);
  const both = (command: object) => [
    { ...command, key: "left" },
    { ...command, key: "right" },
  ];
  const increments = { command: "batch", commands: both({ command: "increment" }) };
  await worker.ask(increments);
  const writing = Array.from({ length: 50 }, () => another.ask(increments));
  const gets = { command: "batch", commands: both({ command: "get" }) };
  for (let read = 0; read < 50; read += 1) {
    const { results } = await worker.ask(gets);
    assert.equal(results[0].value, results[1].value);
  }
  await Promise.all(writing);
});
