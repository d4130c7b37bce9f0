// The bounds of frames hold from end to end: each peer can decode each message that the broker passes on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DIALECTS, type Dialect, streams } from "../protocol/dialects.ts";
import type { Frame } from "../protocol/frame.ts";
import { BODY_FRAMES_MAX, decode, ENVELOPE_FRAMES_MAX, encode } from "../protocol/mdp.ts";
import { Broker } from "./broker.ts";
import { heartbeat, INCARNATION, id, inDialect, limits } from "./dialog.testing.ts";
import type { Effect } from "./effects.ts";

const MANY = { ...limits, queueBytesMax: 2 ** 30, messageBytesMax: 2 ** 24 };
const WITH_META = { name: null, knows: new Set(["meta"] as const) };
const empty = (frames: number) => new Array<string>(frames).fill("");

/** A broker with a worker of this dialect, whose clients speak the other one. */
function start(worker: Dialect, extended: boolean) {
  const broker = new Broker(MANY, heartbeat, INCARNATION, 0);
  const peer = inDialect(worker);
  broker.receive("w1", extended ? peer.ready("echo", 9, WITH_META) : peer.ready("echo", 9), 0);
  /** Sends a message. Returns the messages for the other side, which must decode. */
  const sends = (from: string, frames: Frame[]) =>
    broker.receive(from, frames, 1).flatMap((effect: Effect) => {
      if (effect.do !== "send") return [];
      const command = decode(effect.frames, extended || effect.to !== "w1");
      if (command.header === "invalid") assert.fail(`${effect.to} got: ${command.reason}`);
      return [{ to: effect.to, command }];
    });
  return { broker, peer, sends };
}

for (const worker of DIALECTS)
  for (const client of DIALECTS)
    for (const extended of [false, true])
      test(`longest body, worker of ${worker.name}${extended ? " with keys" : ""}, client of ${client.name}: both decode`, () => {
        const { peer, sends } = start(worker, extended);
        const envelope = [...empty(0), ...new Array(ENVELOPE_FRAMES_MAX - 1).fill("proxy")];
        const before = envelope.map((frame) => Buffer.from(frame));
        const request = inDialect(client).request("echo", ...empty(BODY_FRAMES_MAX));
        const [delivered] = sends("c1", [...before, ...request]);
        assert.equal(delivered?.to, "w1");
        const parts = streams(worker) ? [peer.partial(id(1), ...empty(BODY_FRAMES_MAX - 1))] : [];
        const replies = parts.flatMap((frames) => sends("w1", frames));
        const last = streams(worker) ? ["end"] : empty(BODY_FRAMES_MAX);
        replies.push(...sends("w1", peer.reply(id(1), ...last)));
        assert.equal(replies.at(-1)?.to, "c1");
      });

for (const extended of [false, true])
  test(`sixteen requests with more frames than a worker decodes${extended ? ", keys" : ""}: dropped, the service goes on`, () => {
    const { broker, peer, sends } = start(DIALECTS[0] as Dialect, extended);
    const plain = inDialect(DIALECTS[0] as Dialect);
    for (let nth = 0; nth < 16; nth += 1) {
      const [refused] = sends("c1", plain.request("echo", ...empty(65_533)));
      assert.equal(refused, undefined);
      const [rejected] = sends("c1", plain.request("mmi.call", "echo", "", ...empty(65_530)));
      assert.ok(rejected?.command.header === "client");
      assert.equal(String(rejected.command.body[0]), "400");
    }
    assert.equal(broker.counts().inFlight, 0);
    const [delivered] = sends("c1", plain.request("echo", "hi"));
    assert.equal(delivered?.to, "w1");
    assert.equal(sends("w1", peer.reply(id(1), "HI"))[0]?.to, "c1");
  });

test("reply with more frames than a client decodes: status 500", () => {
  const { peer, sends } = start(DIALECTS[0] as Dialect, false);
  sends("c1", inDialect(DIALECTS[0] as Dialect).request("mmi.call", "echo", "", "hi"));
  const [reply] = sends("w1", peer.reply(id(1), ...empty(65_530)));
  assert.ok(reply?.command.header === "client");
  assert.equal(String(reply.command.body[0]), "500");
});

test("envelope with more frames than a reply may carry: the message is dropped", () => {
  const { broker, sends } = start(DIALECTS[0] as Dialect, false);
  const dialect = DIALECTS[0] as Dialect;
  const envelope = [...new Array(ENVELOPE_FRAMES_MAX).fill(Buffer.from("p")), Buffer.alloc(0)];
  const [service, body] = [Buffer.from("echo"), [Buffer.from("hi")]];
  const command = { header: "client", dialect, name: "REQUEST", envelope, service, body } as const;
  assert.deepEqual(sends("c1", encode(command)), []);
  assert.equal(broker.counts().messagesDropped, 1);
});
