// Dialects: each peer is answered in its own dialect, and each client reaches each worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dialect, MDP_0_1, MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import { dialog, id, inDialect, LEASE_MS } from "./dialog.testing.ts";

const WORKERS: Dialect[] = [MDP_0_1, MDP_0_1_TEXT, MDP_0_2];
const CLIENTS: Dialect[] = [MDP_0_1, MDP_0_2];

/** How a dialog shows a message to a worker or to a client of this dialect. */
const toWorker = ({ name }: Dialect) => (name === "0.1" ? "" : ` (${name})`);
const toClient = ({ name }: Dialect) => (name === "0.2" ? "FINAL " : "");

for (const worker of WORKERS) {
  for (const client of CLIENTS) {
    test(`client of ${client.name}, worker of ${worker.name}: the request and the reply pass`, () => {
      const { sends } = dialog();
      const { ready, reply } = inDialect(worker);
      sends("w1", ready("echo"));
      assert.deepEqual(sends("c1", inDialect(client).request("echo", "a", "")), [
        `w1 < REQUEST c1 a ${toWorker(worker)}`,
      ]);
      assert.deepEqual(sends("w1", reply("c1", "A", "")), [`c1 < ${toClient(client)}echo A `]);
    });
  }

  test(`worker of ${worker.name} with credit: gets ids`, () => {
    const { sends } = dialog();
    const { ready, reply } = inDialect(worker);
    const { request } = inDialect(MDP_0_2);
    sends("w1", ready("echo", 2));
    sends("c1", request("echo", "a"));
    assert.deepEqual(sends("c1", request("echo", "b")), [`w1 < REQUEST #2 b${toWorker(worker)}`]);
    assert.deepEqual(sends("w1", reply(id(2), "B")), ["c1 < FINAL echo B"]);
  });

  test(`worker of ${worker.name}: gets HEARTBEAT and DISCONNECT in its dialect`, () => {
    const { sends, heartbeats, drains } = dialog();
    sends("w1", inDialect(worker).ready("echo"));
    assert.deepEqual(heartbeats(1000), [`w1 < HEARTBEAT${toWorker(worker)}`]);
    const second = inDialect(worker).ready("echo");
    assert.deepEqual(sends("w1", second), [`w1 < DISCONNECT${toWorker(worker)}`]);
    sends("w2", inDialect(worker).ready("echo"));
    assert.deepEqual(drains(), [`w2 < DISCONNECT${toWorker(worker)}`]);
  });

  test(`command in ${worker.name} before READY: DISCONNECT in that dialect`, () => {
    const { sends } = dialog();
    const { heartbeatCommand, reply, ready } = inDialect(worker);
    for (const command of [heartbeatCommand, reply("c1", "A"), ready("mmi.echo")])
      assert.deepEqual(sends("w1", command), [`w1 < DISCONNECT${toWorker(worker)}`]);
  });

  test(`HEARTBEAT in ${worker.name}: renews the lease`, () => {
    const { sends, waits, broker } = dialog();
    sends("w1", inDialect(worker).ready("echo"));
    waits(LEASE_MS - 100);
    sends("w1", inDialect(worker).heartbeatCommand);
    waits(LEASE_MS - 100);
    assert.equal(broker.counts().workers, 1);
    assert.deepEqual(sends("w1", inDialect(worker).disconnect), []);
    assert.equal(broker.counts().workers, 0);
  });
}

test("workers of all dialects in one service: each gets its own", () => {
  const { sends, heartbeats, drains } = dialog();
  for (const [nth, worker] of WORKERS.entries()) sends(`w${nth}`, inDialect(worker).ready("echo"));
  const each = (command: string) =>
    WORKERS.map((worker, nth) => `w${nth} < ${command}${toWorker(worker)}`);
  assert.deepEqual(heartbeats(1000), each("HEARTBEAT"));
  assert.deepEqual(drains(), each("DISCONNECT"));
});

test("command in another dialect than READY: DISCONNECT", () => {
  for (const spoken of WORKERS) {
    for (const other of WORKERS.filter((dialect) => dialect !== spoken)) {
      const { sends, broker } = dialog();
      sends("w1", inDialect(spoken).ready("echo"));
      assert.deepEqual(sends("w1", inDialect(other).heartbeatCommand), [
        `w1 < DISCONNECT${toWorker(spoken)}`,
      ]);
      assert.equal(broker.counts().workers, 0);
    }
  }
});

test("invalid message from a worker: DISCONNECT in the dialect of its READY", () => {
  for (const spoken of WORKERS) {
    const { sends } = dialog();
    sends("w1", inDialect(spoken).ready("echo"));
    assert.deepEqual(sends("w1", [Buffer.from("junk")]), [`w1 < DISCONNECT${toWorker(spoken)}`]);
  }
});

test("18/MDP: frames before the header of a client: they stand before the reply", () => {
  const { sends } = dialog();
  sends("w1", inDialect(MDP_0_1).ready("echo"));
  for (const envelope of [["proxy"], [""], ["id", ""], ["proxy", "id", ""]]) {
    const before = envelope.map((frame) => Buffer.from(frame));
    sends("c1", [...before, ...inDialect(MDP_0_2).request("echo", "a")]);
    assert.deepEqual(sends("w1", inDialect(MDP_0_1).reply("c1", "A")), [
      `c1 < ${[...envelope, "FINAL echo A"].join(" ")}`,
    ]);
  }
});

test("18/MDP: PARTIAL or FINAL from a client: dropped", () => {
  const { sends, broker } = dialog();
  const [header, , ...rest] = inDialect(MDP_0_2).request("echo", "a");
  for (const command of [[2], [3]]) {
    const frames = [header, Buffer.from(command), ...rest] as Buffer[];
    assert.deepEqual(sends("c1", frames), []);
  }
  assert.equal(broker.counts().messagesDropped, 2);
  assert.equal(broker.counts().received, 0);
});

test("8/MMI: management request of a client of 0.2: FINAL", () => {
  const { sends } = dialog();
  const { request } = inDialect(MDP_0_2);
  assert.deepEqual(sends("c1", request("mmi.service", "echo")), ["c1 < FINAL mmi.service 404"]);
  assert.deepEqual(sends("c1", request("mmi.nonsense", "echo")), ["c1 < FINAL mmi.nonsense 501"]);
});
