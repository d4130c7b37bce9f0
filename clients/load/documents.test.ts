import assert from "node:assert/strict";
import { test } from "node:test";
import { Documents } from "./documents.ts";
import type { Exchange } from "./exchange.ts";

type Request = { command: string; key: string; value?: string };
const requestOf = (exchange: Exchange): Request => JSON.parse(String(exchange.body[0]));
const frames = (reply: unknown) => [Buffer.from(JSON.stringify(reply))];

test("a document is put, got and deleted, and the next one has another key", () => {
  const documents = new Documents();
  const requests = ["id-1", "id-2", "id-3", "id-4"].map((id) => {
    const exchange = documents.next(id);
    exchange.over(true);
    return requestOf(exchange);
  });
  const { key, value } = requests[0] ?? assert.fail();
  assert.deepEqual(requests.slice(0, 3), [
    { command: "put", key, value },
    { command: "get", key },
    { command: "delete", key },
  ]);
  assert.equal(requests[3]?.command, "put");
  assert.notEqual(requests[3]?.key, key);
  assert.notEqual(requests[3]?.value, value);
});

test("a get must find the value that was put", () => {
  const documents = new Documents();
  const put = documents.next("id-1");
  const { key, value } = requestOf(put);
  assert.equal(put.wrong(frames({ key, version: 1 })), null);
  assert.ok(!put.absentIsWrong);
  put.over(true);

  const get = documents.next("id-2");
  assert.ok(get.absentIsWrong);
  assert.equal(get.wrong(frames({ key, value, version: 7 })), null);
  assert.notEqual(get.wrong(frames({ key, value: `${value}.`, version: 1 })), null);
  assert.notEqual(get.wrong(frames({ key, version: 1 })), null);
  assert.notEqual(get.wrong(frames({ key: "other", value, version: 1 })), null);
  get.over(true);

  const remove = documents.next("id-3");
  // A delete that was done twice finds nothing the second time.
  for (const deleted of [true, false]) assert.equal(remove.wrong(frames({ key, deleted })), null);
});

test("a reply that is not the JSON of the db service is wrong", () => {
  const { wrong } = new Documents().next("id-1");
  for (const reply of [{}, null, "text", { key: "other", version: 1 }]) {
    assert.notEqual(wrong(frames(reply)), null);
  }
  assert.notEqual(wrong([Buffer.from("not JSON")]), null);
  assert.notEqual(wrong([]), null);
});

test("there are as many documents as requests at once, and none has two at once", () => {
  const documents = new Documents();
  const stored = new Set<string>();
  for (let round = 0; round < 100; round++) {
    const outstanding = [documents.next(`${round}-1`), documents.next(`${round}-2`)];
    const requests = outstanding.map(requestOf);
    assert.notEqual(requests[0]?.key, requests[1]?.key);
    for (const { command, key } of requests) {
      if (command === "put") stored.add(key);
      if (command === "delete") stored.delete(key);
    }
    assert.ok(stored.size <= 2);
    for (const { over } of outstanding) over(true);
  }
});

test("what may have been put is deleted", () => {
  const documents = new Documents();
  const put = documents.next("id-1");
  put.over(false);
  const { key } = requestOf(put);
  assert.deepEqual(requestOf(documents.next("id-2")), { command: "delete", key });
});
