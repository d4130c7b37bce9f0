// The connection to the server breaks after COMMIT was sent: the worker does not know the outcome.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Opened, onServer } from "../../workers/db/empty-database.testing.ts";
import { until } from "../until.ts";
import { engines } from "./engines.ts";
import { Link } from "./link.ts";
import { Postgres } from "./postgres.ts";

const needed = { skip: engines.includes("PostgreSQL") ? false : "not on PostgreSQL" };
const INCREMENT = { command: "increment", key: "counter" };

const MAYBE_CHANGED = "503 the database was lost during the commit, it may be changed or not: ";

/** A worker that reaches its server through a link. */
async function withLink(work: (worker: Opened, link: Link, server: Postgres) => Promise<void>) {
  await using server = await Postgres.start();
  using link = await Link.to(server.url);
  const url = new URL(server.url);
  url.port = new URL(link.endpoint).port;
  await using worker = await Opened.of(onServer(url.href));
  await work(worker, link, server);
}

test("COMMIT unconfirmed, request with an id: looked up, one effect", needed, () =>
  withLink(async (worker, link) => {
    link.cutAfter("commit");
    assert.equal((await worker.ask(INCREMENT, "an id")).value, 1);
    assert.equal((await worker.ask(INCREMENT, "another id")).value, 2);
  }),
);

test("COMMIT unconfirmed, outage longer than others wait: looked up afterwards", needed, () =>
  withLink(async (worker, link, server) => {
    link.cutAfter("commit", { andRefuse: true });
    const answer = worker.ask(INCREMENT, "an id", AbortSignal.timeout(120_000));
    await until("an outage", () => worker.log.at(-1)?.event === "database.unreachable");
    await server.kill();
    const others = await worker.rejection(INCREMENT, "another id");
    assert.match(others, /^503 the database cannot be reached, nothing was changed: /);
    await server.startAgain();
    link.accept();
    assert.equal((await answer).value, 1);
  }),
);

test("COMMIT unconfirmed, request aborted in the outage: error 503", needed, () =>
  withLink(async (worker, link) => {
    link.cutAfter("commit", { andRefuse: true });
    const aborting = new AbortController();
    const rejection = worker.rejection(INCREMENT, "an id", aborting.signal);
    await until("an outage", () => worker.log.at(-1)?.event === "database.unreachable");
    aborting.abort();
    assert.ok((await rejection).startsWith(MAYBE_CHANGED), await rejection);
  }),
);

test("COMMIT unconfirmed, request without an id: error 503, no second try", needed, () =>
  withLink(async (worker, link) => {
    link.cutAfter("commit");
    const rejection = await worker.rejection(INCREMENT);
    assert.ok(rejection.startsWith(MAYBE_CHANGED), rejection);
    assert.equal((await worker.ask(INCREMENT)).value, 2);
  }),
);
