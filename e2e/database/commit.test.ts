// A connection to the server that breaks at the commit: it was done, and the worker cannot know.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Opened, onServer } from "../../workers/db/empty-database.testing.ts";
import { until } from "../until.ts";
import { engines } from "./engines.ts";
import { Link } from "./link.ts";
import { Postgres } from "./postgres.ts";

const needed = { skip: engines.includes("PostgreSQL") ? false : "not on PostgreSQL" };
const INCREMENT = { command: "increment", key: "counter" };

async function withLink(work: (worker: Opened, link: Link, server: Postgres) => Promise<void>) {
  await using server = await Postgres.start();
  using link = await Link.to(server.url);
  const url = new URL(server.url);
  url.port = new URL(link.endpoint).port;
  await using worker = await Opened.of(onServer(url.href));
  await work(worker, link, server);
}

test("what has an id is asked for, and was done once", needed, () =>
  withLink(async (worker, link) => {
    link.cutAfter("commit");
    assert.equal((await worker.ask(INCREMENT, "an id")).value, 1);
    assert.equal((await worker.ask(INCREMENT, "another id")).value, 2);
  }),
);

test("even when that takes longer than clients wait for a server that is down", needed, () =>
  withLink(async (worker, link, server) => {
    link.cutAfter("commit");
    const answer = worker.ask(INCREMENT, "an id", AbortSignal.timeout(30_000));
    await until("an outage", () => worker.log.at(-1)?.event === "database.unreachable");
    await server.kill();
    const others = await worker.rejection(INCREMENT, "another id");
    assert.match(others, /^503 the database cannot be reached, nothing was changed: /);
    await server.startAgain();
    assert.equal((await answer).value, 1);
  }),
);

test("until nobody waits for the answer any more", needed, () =>
  withLink(async (worker, link, server) => {
    link.cutAfter("commit");
    const rejection = worker.rejection(INCREMENT, "an id", AbortSignal.timeout(1000));
    await until("an outage", () => worker.log.at(-1)?.event === "database.unreachable");
    await server.kill();
    const sentence = "503 the database was lost during the commit, it may be changed or not: ";
    assert.equal((await rejection).slice(0, sentence.length), sentence);
  }),
);

test("what has no id is not tried again, and its client is told why", needed, () =>
  withLink(async (worker, link) => {
    link.cutAfter("commit");
    const sentence = "503 the database was lost during the commit, it may be changed or not: ";
    assert.equal((await worker.rejection(INCREMENT)).slice(0, sentence.length), sentence);
    assert.equal((await worker.ask(INCREMENT)).value, 2);
  }),
);
