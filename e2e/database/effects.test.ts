// Workers killed around a commit: each effect happens once and completely, or not at all.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Opened } from "../../workers/db/empty-database.testing.ts";
import { Random } from "../simulated/random.ts";
import { until } from "../until.ts";
import { Link } from "./link.ts";
import { ask, DB, dbWorkers, onEachEngine } from "./trial.ts";

const INCREMENT = { command: "increment", key: "counter" };

onEachEngine(
  "worker killed after its commit and before its REPLY: one effect",
  async (stack, database) => {
    using link = await Link.to(stack.endpoint);
    const victim = stack.program(DB, [], { MDP_BROKER: link.endpoint });
    await stack.broker.logged("worker.registered");
    link.mute();
    const reply = ask(stack.client, INCREMENT);
    await using observer = await Opened.of(database);
    await until("the effect", async () => (await keys(observer)).length > 0);
    victim.signal("SIGKILL");
    const removed = await stack.broker.logged("worker.removed");
    assert.equal(removed.requeued, 1);
    await dbWorkers(stack, 1);
    assert.deepEqual(await reply, { key: "counter", value: 1, version: 1 });
    assert.equal((await ask(stack.client, INCREMENT)).value, 2);
  },
);

onEachEngine(
  "call repeated with its id at another broker and worker: one effect",
  async (stack) => {
    const id = randomUUID();
    const [worker] = await dbWorkers(stack, 1);
    const first = await ask(stack.client, { ...INCREMENT, id });
    await worker?.destroy();
    await stack.broker.destroy();
    await stack.restartBroker();
    await dbWorkers(stack, 1);
    assert.deepEqual(await ask(stack.client, { ...INCREMENT, id }), first);
    assert.equal((await ask(stack.client, INCREMENT)).value, 2);
  },
);

onEachEngine(
  "workers killed in the middle of transactions: no transaction is half done",
  async (stack, database) => {
    const random = new Random(Number(process.env.SEED ?? 1));
    await using observer = await Opened.of(database);
    const accounts = ["left", "right"].map((key) => ({ command: "put", key, value: 0 }));
    await observer.ask({ command: "batch", commands: accounts });
    const workers = await dbWorkers(stack, 3);
    const done = new AbortController();
    const transfers = Array.from({ length: 12 }, async (_, nth) => {
      for (let amount = 1; !done.signal.aborted; amount += 1) {
        const [from, to] = nth % 2 === 0 ? ["left", "right"] : ["right", "left"];
        const commands = [
          { command: "increment", key: from, by: -amount },
          ...Array.from({ length: 20 }, (_, at) => ({
            command: "put",
            key: `${nth}:${at}`,
            value: amount,
          })),
          { command: "increment", key: to, by: amount },
        ];
        await ask(stack.client, { command: "batch", commands });
      }
    });
    for (let deaths = 0; deaths < 6; deaths += 1) {
      await setTimeout(random.whole(0, 300));
      const place = random.whole(0, workers.length - 1);
      const before = stack.registered;
      workers[place]?.signal("SIGKILL");
      workers[place] = stack.program(DB);
      await assertWhole(observer);
      await stack.broker.logged("worker.registered", () => stack.registered > before);
      await assertWhole(observer);
    }
    done.abort();
    await Promise.all(transfers);
    await assertWhole(observer);
  },
);

/** Both accounts sum to 0, and all documents of a batch have the value of one batch. */
async function assertWhole(observer: Opened) {
  const { documents }: Page = await observer.ask({ command: "list" });
  const value = Object.fromEntries(documents.map(({ key, value }) => [key, value]));
  assert.equal((value.left ?? 0) + (value.right ?? 0), 0);
  const batches = Map.groupBy(
    documents.filter(({ key }) => key.includes(":")),
    ({ key }) => key.split(":")[0],
  );
  for (const [nth, parts] of batches) {
    assert.equal(parts.length, 20, `batch ${nth}`);
    assert.equal(new Set(parts.map(({ value }) => value)).size, 1, `batch ${nth}`);
  }
}

type Page = { documents: { key: string; value: number }[] };

async function keys(observer: Opened): Promise<string[]> {
  const { documents }: Page = await observer.ask({ command: "list" });
  return documents.map(({ key }) => key);
}
