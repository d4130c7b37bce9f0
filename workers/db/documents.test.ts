import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { ServiceError } from "../worker.ts";
import { readCommand } from "./document-command.ts";
import { Documents, openDocuments, PAGE_BYTES_MAX } from "./documents.ts";
import { openSqlite, sqliteDialect } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "documents-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = () => join(folder, `${++files}.sqlite`);

type Page = { documents: { key: string; value: unknown; version: number }[]; cursor: string };

/** Asks as a client does, and takes the answer apart. */
async function ask(documents: Documents, command: object, signal = AbortSignal.timeout(10_000)) {
  const body = [Buffer.from(JSON.stringify(command))];
  return JSON.parse(await documents.execute(readCommand(body), signal));
}

/** The code and the sentence that a command is refused with. */
async function refusal(documents: Documents, command: object, signal?: AbortSignal) {
  const error = await ask(documents, command, signal).then(
    (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ServiceError, String(error));
  return `${error.code} ${error.message}`;
}

async function withDocuments(work: (documents: Documents, file: string) => Promise<void>) {
  const file = newFile();
  const documents = await openDocuments(file);
  await work(documents, file).finally(() => documents.close());
}

test("what is put can be got until it is deleted", () =>
  withDocuments(async (documents) => {
    const value = { name: "Ada", born: 1815, "__proto__ ": [true, null, 0.1, "\u0000 % ' é"] };
    const key = "user:1 ' é";
    assert.deepEqual(await ask(documents, { command: "put", key, value }), { key, version: 1 });
    const got = await ask(documents, { command: "get", key });
    assert.deepEqual(got, { key, value, version: 1 });
    assert.deepEqual(await ask(documents, { command: "put", key, value: 7 }), { key, version: 2 });
    const again = await ask(documents, { command: "get", key });
    assert.deepEqual(again, { key, value: 7, version: 2 });
    const deleted = await ask(documents, { command: "delete", key });
    assert.deepEqual(deleted, { key, deleted: true });
    assert.equal(
      await refusal(documents, { command: "get", key }),
      '404 no document "user:1 \' é"',
    );
    const gone = await ask(documents, { command: "delete", key });
    assert.deepEqual(gone, { key, deleted: false });
    assert.deepEqual(await ask(documents, { command: "put", key, value }), { key, version: 1 });
  }));

test("documents are in the file when it is opened again", async () => {
  const file = join(folder, "made", "on the way", "documents.sqlite");
  const first = await openDocuments(file);
  await ask(first, { command: "put", key: "a", value: 1 });
  await first.close();
  const second = await openDocuments(file);
  assert.deepEqual(await ask(second, { command: "get", key: "a" }), {
    key: "a",
    value: 1,
    version: 1,
  });
  await second.close();
});

test("a list is in the order of the keys' bytes, page by page", () =>
  withDocuments(async (documents) => {
    // In UTF-16 the last two would change places.
    const keys = ["A", "B", "a", "a:1", "a:10", "a:2", "é", "\uffee", "\u{1f600}"];
    for (const key of keys.toReversed()) await ask(documents, { command: "put", key, value: key });
    await ask(documents, { command: "put", key: "A", value: "A" });
    const all: Page = await ask(documents, { command: "list" });
    assert.deepEqual(
      all.documents,
      keys.map((key) => ({ key, value: key, version: key === "A" ? 2 : 1 })),
    );
    assert.equal(all.cursor, null);

    const paged: string[][] = [];
    let cursor: string | undefined;
    do {
      const page: Page = await ask(documents, { command: "list", limit: 3, cursor });
      paged.push(page.documents.map(({ key }) => key));
      cursor = page.cursor;
    } while (cursor !== null);
    assert.deepEqual(paged, [keys.slice(0, 3), keys.slice(3, 6), keys.slice(6)]);
  }));

test("a prefix is taken literally", () =>
  withDocuments(async (documents) => {
    for (const key of ["a%b", "aXb", "a_b", "a", "b", "\u{10ffff}\u{10ffff}", "\u{10ffff}"]) {
      await ask(documents, { command: "put", key, value: 0 });
    }
    const keys = async (prefix: string, cursor?: string) => {
      const page: Page = await ask(documents, { command: "list", prefix, cursor });
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

test("a page ends where it grows too large, and the next goes on from there", () =>
  withDocuments(async (documents) => {
    const value = "x".repeat(200_000);
    const fit = Math.ceil(PAGE_BYTES_MAX / value.length);
    for (let index = 0; index < fit + 2; index += 1) {
      await ask(documents, { command: "put", key: `large:${index}`, value });
    }
    const page: Page = await ask(documents, { command: "list", prefix: "large:" });
    assert.equal(page.documents.length, fit);
    const { cursor } = page;
    assert.equal(cursor, `large:${fit - 1}`);
    const rest: Page = await ask(documents, { command: "list", prefix: "large:", cursor });
    assert.equal(rest.documents.length, 2);
    assert.equal(rest.cursor, null);
  }));

test("an increment starts from 0 and goes both ways", () =>
  withDocuments(async (documents) => {
    const key = "counter";
    const add = (by?: number) => ask(documents, { command: "increment", key, by });
    assert.deepEqual(await add(), { key, value: 1, version: 1 });
    assert.deepEqual(await add(41), { key, value: 42, version: 2 });
    assert.deepEqual(await add(-50), { key, value: -8, version: 3 });
    const got = await ask(documents, { command: "get", key });
    assert.deepEqual(got, { key, value: -8, version: 3 });
  }));

test("only a whole number is incremented, and only as far as it is exact", () =>
  withDocuments(async (documents) => {
    const most = Number.MAX_SAFE_INTEGER;
    const refused = async (value: unknown, by = 1) => {
      const { version } = await ask(documents, { command: "put", key: "a", value });
      const sentence = await refusal(documents, { command: "increment", key: "a", by });
      const after = await ask(documents, { command: "get", key: "a" });
      assert.deepEqual(after, { key: "a", value, version });
      return sentence;
    };
    for (const value of ["1", "", 1.5, [1], { a: 1 }, true, null]) {
      assert.equal(await refused(value), '409 cannot increment "a": it is not a whole number');
    }
    const beyond = (by: number) => `409 cannot increment "a": its sum with ${by} would be beyond`;
    assert.equal(await refused(most), `${beyond(1)} 2^53`);
    assert.equal(await refused(-most, -1), `${beyond(-1)} 2^53`);
    assert.equal(await refused(most, most), `${beyond(most)} 2^53`);
    await ask(documents, { command: "put", key: "a", value: most - 1 });
    const last = await ask(documents, { command: "increment", key: "a" });
    assert.equal(last.value, most);
  }));

// Increments a counter in the file argv[2] argv[3] times, and prints what it is answered.
const INCREMENT = join(folder, "increment.mjs");
writeFileSync(
  INCREMENT,
  `import { openDocuments } from ${JSON.stringify(new URL("./documents.ts", import.meta.url))};
  const documents = await openDocuments(process.argv[2]);
  const command = { command: "increment", key: "counter", by: 1 };
  for (let count = 0; count < Number(process.argv[3]); count += 1) {
    console.log(await documents.execute(command, AbortSignal.timeout(30_000)));
  }
  await documents.close();`,
);

const increment = (file: string, times: number) =>
  spawn(process.execPath, [INCREMENT, file, String(times)], {
    stdio: ["ignore", "pipe", "inherit"],
  });

test("five processes that make the file together lose no increment", async () => {
  const file = newFile();
  const processes = Array.from({ length: 5 }, () => increment(file, 200));
  const values = await Promise.all(
    processes.map(async (child) => {
      const lines = (await child.stdout.toArray()).join("").trim().split("\n");
      return lines.map((line) => JSON.parse(line).value as number);
    }),
  );
  const sorted = values.flat().sort((one, other) => one - other);
  const expected = Array.from({ length: 1000 }, (_, index) => index + 1);
  assert.deepEqual(sorted, expected);
});

test("what was answered survives the kill of its process", async () => {
  const file = newFile();
  const child = increment(file, 1_000_000);
  let answers = "";
  for await (const chunk of child.stdout) {
    answers += chunk;
    if (answers.length > 10_000) child.kill("SIGKILL");
  }
  const answered = answers.slice(0, answers.lastIndexOf("\n")).split("\n").length;
  const documents = await openDocuments(file);
  const { value } = await ask(documents, { command: "get", key: "counter" });
  assert.ok(value >= answered, `${answered} answered, ${value} found`);
  await documents.close();
});

test("a locked file is waited for without stopping this process", (t) =>
  withDocuments(async (documents, file) => {
    const other = new DatabaseSync(file);
    t.after(() => other.close());
    other.exec("begin exclusive");
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    t.after(() => clearInterval(timer));
    const put = ask(documents, { command: "put", key: "a", value: 1 });
    const increment = { command: "increment", key: "b" };
    const impatient = AbortSignal.timeout(200);
    const refusals = [1, 2, 3].map(() => refusal(documents, increment, impatient));
    assert.deepEqual(await Promise.all(refusals), Array(3).fill("503 the database is busy"));
    assert.ok(ticks > 2, `${ticks} ticks`);
    // Readers do not wait for the writer.
    const absent = '404 no document "a"';
    assert.equal(await refusal(documents, { command: "get", key: "a" }), absent);
    other.exec("commit");
    assert.deepEqual(await put, { key: "a", version: 1 });
  }));

test("a full disk and a broken table are failures of a request, not of the worker", async () => {
  const patience = AbortSignal.timeout(10_000);
  const database = await openSqlite(newFile(), patience);
  const documents = new Documents(sqliteDialect(database));
  await documents.prepare(patience);
  database.exec("pragma max_page_count = 10");
  const put = { command: "put", key: "a", value: "x".repeat(100_000) };
  assert.equal(await refusal(documents, put), "503 the disk is full");
  database.exec("pragma max_page_count = 1000");
  assert.deepEqual(await ask(documents, put), { key: "a", version: 1 });
  database.exec("drop table documents");
  const sentence = "500 the database failed: no such table: documents";
  assert.equal(await refusal(documents, put), sentence);
  assert.equal(await refusal(documents, { command: "list" }), sentence);
  await documents.prepare(patience);
  assert.deepEqual(await ask(documents, put), { key: "a", version: 1 });
  await documents.close();
});

test("the program ends with one line if it cannot open its file", () => {
  const text = join(folder, "text");
  const directory = join(folder, "directory");
  writeFileSync(
    text,
    "This is no database, but it is long enough to be taken for one. ".repeat(99),
  );
  mkdirSync(directory);
  const lines: [string, RegExp][] = [
    [directory, /: unable to open database file\n$/],
    [text, /: file is not a database\n$/],
    [join(text, "below"), /: (EEXIST|ENOTDIR): .*\n$/],
  ];
  for (const [file, reason] of lines) {
    const program = spawnSync(process.execPath, [new URL("../db.ts", import.meta.url).pathname], {
      env: { ...process.env, MDP_DB_FILE: file },
    });
    const line = String(program.stderr);
    assert.ok(line.startsWith(`db: cannot open ${file}: `), line);
    assert.match(line, reason);
    assert.equal(line.indexOf("\n"), line.length - 1, line);
    assert.equal(program.status, 1);
  }
});
