import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { inFile, Opened } from "./empty-database.testing.ts";

const folder = mkdtempSync(join(tmpdir(), "sqlite-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;

/** A database file, and another connection to it. */
function newFile(t: TestContext) {
  const file = join(folder, `${++files}.sqlite`);
  const other = new DatabaseSync(file);
  t.after(() => other.close());
  return { file: inFile(file), other };
}

test("file locked by another process: requests wait, the event loop goes on", async (t) => {
  const { file, other } = newFile(t);
  await using worker = await Opened.of(file);
  other.exec("begin exclusive");
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  t.after(() => clearInterval(timer));
  const put = worker.ask({ command: "put", key: "a", value: 1 });
  const increment = { command: "increment", key: "b" };
  const impatient = AbortSignal.timeout(1000); // Long enough for ticks on a busy machine.
  const rejections = [1, 2, 3].map(() => worker.rejection(increment, null, impatient));
  const sentence = "503 the database is busy, nothing was changed";
  assert.deepEqual(await Promise.all(rejections), Array(3).fill(sentence));
  assert.ok(ticks > 2, `${ticks} ticks`);
  // A reader does not wait for the writer.
  assert.equal(await worker.rejection({ command: "get", key: "a" }), '404 no document "a"');
  other.exec("commit");
  assert.deepEqual(await put, { key: "a", version: 1 });
});

test("table missing: 500 for the request, the worker goes on", async (t) => {
  const { file, other } = newFile(t);
  await using worker = await Opened.of(file);
  other.exec("alter table documents rename to hidden");
  const put = { command: "put", key: "a", value: 1 };
  const sentence = "500 the database failed, nothing was changed: no such table: documents";
  assert.equal(await worker.rejection(put, "an id"), sentence);
  assert.equal(await worker.rejection({ command: "list" }), sentence);
  other.exec("alter table hidden rename to documents");
  assert.deepEqual(await worker.ask(put, "an id"), { key: "a", version: 1 });
});

test("database of a version without migrations: documents still there", async (t) => {
  const { file, other } = newFile(t);
  other.exec(
    "create table documents (key text primary key not null, value text not null, version integer not null)",
  );
  other.exec("insert into documents values ('a', '7', 3)");
  await using worker = await Opened.of(file);
  assert.deepEqual(await worker.ask({ command: "increment", key: "a" }), {
    key: "a",
    value: 8,
    version: 4,
  });
});

for (const [kind, before] of [
  ["new file", []],
  ["file of 0.1.0", ["create table older (text text)", "drop table older"]],
] as const) {
  test(`${kind}: forgotten records give their space back`, async (t) => {
    const { file, other } = newFile(t);
    for (const sql of before) other.exec(sql);
    await using worker = await Opened.of(file, { recordsBytesMax: 2_000_000 });
    await worker.ask({ command: "put", key: "large", value: "x".repeat(200_000) });
    const get = { command: "get", key: "large" };
    const batch = { command: "batch", commands: [{ command: "increment", key: "a" }, get, get] };
    const pages = () => Number(other.prepare("pragma page_count").get()?.page_count);
    let most = 0;
    for (let nth = 1; nth <= 30; nth += 1) {
      await worker.ask(batch, `id ${nth}`);
      most = Math.max(most, pages());
    }
    for (const end = performance.now() + 60_000; pages() > 1000; await delay(10)) {
      assert.ok(performance.now() < end, `the file has ${pages()} pages, and had ${most}`);
    }
    assert.equal((await worker.ask({ command: "get", key: "a" })).value, 30);
  });
}

test("new file in a new folder: only its owner can read it and its further files", async () => {
  const path = join(folder, "new", "folder", "documents.sqlite");
  await using worker = await Opened.of(inFile(path));
  await worker.ask({ command: "put", key: "a", value: 1 });
  for (const name of readdirSync(dirname(path))) {
    assert.equal(statSync(join(dirname(path), name)).mode & 0o777, 0o600, name);
  }
});

test("database cannot be opened: one line on stderr, exit code 1", () => {
  const text = join(folder, "text");
  const directory = join(folder, "directory");
  const line = "This is no database, but it is long enough to be taken for one. ";
  writeFileSync(text, line.repeat(99));
  mkdirSync(directory);
  const failures: [string, RegExp][] = [
    [directory, /: unable to open database file\n$/],
    [text, /: file is not a database\n$/],
    [join(text, "below"), /: (EEXIST|ENOTDIR): .*\n$/],
    ["/proc/none/below/documents.sqlite", /: ENOENT: .*\n$/],
  ];
  for (const [MDP_DB_FILE, reason] of failures) {
    const { status, line } = ended({ MDP_DB_FILE });
    assert.ok(line.startsWith(`db: cannot open ${MDP_DB_FILE}: `), line);
    assert.match(line, reason);
    assert.equal(status, 1);
  }
  for (const MDP_DB_FILE of ["file:data/documents.sqlite", "sqlite:///tmp/documents.sqlite"]) {
    const { line } = ended({ MDP_DB_FILE });
    const path = "a path such as data/documents.sqlite";
    assert.equal(line, `db: MDP_DB_FILE="${MDP_DB_FILE}" is not ${path}\n`);
  }
  const { status, line: sentence } = ended({ DATABASE_URL: "mysql://user:secret@host/database" });
  const expected = "postgres://user:password@host:5432/database";
  assert.equal(sentence, `db: DATABASE_URL is not a URL such as ${expected}\n`);
  assert.equal(status, 1);
});

/** Runs the program, which must end at once; its exit code and the line on stderr. */
function ended(settings: Record<string, string>) {
  const program = spawnSync(process.execPath, [new URL("../db.ts", import.meta.url).pathname], {
    env: { ...process.env, DATABASE_URL: "", ...settings },
  });
  const line = String(program.stderr);
  assert.equal(line.indexOf("\n"), line.length - 1, line);
  return { status: program.status, line };
}
