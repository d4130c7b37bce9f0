import assert from "node:assert/strict";
import { test } from "node:test";
import { Documents } from "./documents.ts";
import type { Exchange } from "./exchange.ts";

type Request = { command: string; key: string; value?: string };
const requestOf = (exchange: Exchange): Request => JSON.parse(String(exchange.body[0]));
const frames = (reply: unknown) => [Buffer.from(JSON.stringify(reply))];

test("requests to db: put, get and delete of one document, then a document with another key", () => {
  const documents = new Documents();
  const requests = ["id-1", "id-2", "id-3", "id-4"].map((id) => {
    const exchange = documents.next(id);
    exchange.ended(true);
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

test("get: only the value of the put is correct", () => {
  const documents = new Documents();
  const put = documents.next("id-1");
  const { key, value } = requestOf(put);
  assert.equal(put.mismatch(frames({ key, version: 1 })), null);
  assert.ok(!put.mustExist);
  put.ended(true);

  const get = documents.next("id-2");
  assert.ok(get.mustExist);
  assert.equal(get.mismatch(frames({ key, value, version: 7 })), null);
  assert.notEqual(get.mismatch(frames({ key, value: `${value}.`, version: 1 })), null);
  assert.notEqual(get.mismatch(frames({ key, version: 1 })), null);
  assert.notEqual(get.mismatch(frames({ key: "other", value, version: 1 })), null);
  get.ended(true);

  const remove = documents.next("id-3");
  // A second delete of the same document finds nothing.
  for (const deleted of [true, false])
    assert.equal(remove.mismatch(frames({ key, deleted })), null);
});

test("reply is not the JSON of the db service: wrong", () => {
  const { mismatch } = new Documents().next("id-1");
  for (const reply of [{}, null, "text", { key: "other", version: 1 }]) {
    assert.notEqual(mismatch(frames(reply)), null);
  }
  assert.notEqual(mismatch([Buffer.from("not JSON")]), null);
  const notUtf8 = Buffer.from('{"key":"load-id-1","version":1,"note":"\xff"}', "latin1");
  assert.notEqual(mismatch([notUtf8]), null);
  assert.notEqual(mismatch([]), null);
});

test("two outstanding requests: at most two documents, one request each", () => {
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
    for (const { ended } of outstanding) ended(true);
  }
});

test("put without a reply: the next request deletes the document", () => {
  const documents = new Documents();
  const put = documents.next("id-1");
  put.ended(false);
  const { key } = requestOf(put);
  assert.deepEqual(requestOf(documents.next("id-2")), { command: "delete", key });
});
