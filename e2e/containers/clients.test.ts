// Clients that die, that ask too much, and that do not read.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { counted, LEASE_MS, SLACK_MS, scenario } from "./scenario.ts";

const PATIENT = { MDP_HEARTBEAT_LIVENESS: "60" }; // For workers that are to be slow, not dead.

scenario(
  "a client killed with requests outstanding: they end, and the others are served",
  async ({ stack, nemesis }) => {
    const worker = await stack.worker("workers/echo.ts");
    await nemesis.pause(worker);
    const client = await loadClient("--mix echo --outstanding 64");
    await counted(stack, { received: 64, queued: 48, inFlight: 16 });
    await nemesis.kill(client);
    await nemesis.unpause(worker);
    // They were calls, which might have been asked again by somebody who knows their ids.
    await counted(stack, { received: 64, answered: 64, queued: 0, inFlight: 0, workers: 1 });
    assert.equal(String(await stack.client().request("echo", "still here")), "still here");
    assert.deepEqual(stack.broker.all("worker.removed"), []);

    function loadClient(options: string) {
      const settings = { MDP_BROKER: "tcp://broker:5555" };
      return stack.container(`clients/load.ts ${options} --every 0.2`, { name: "load", settings });
    }
  },
  PATIENT,
);

scenario(
  "a flood past the queue's bound: the newest are refused, the others answered",
  async ({ stack }) => {
    await stack.worker();
    const flood = stack.asker();
    const told = await Promise.all(Array.from({ length: 200 }, () => flood.ask(50)));
    const errors = told.flatMap(({ error }) => error ?? []);
    assert.deepEqual(new Set(errors), new Set(["QueueFull"]));
    const answered = told.length - errors.length;
    assert.ok(answered >= 20 && answered < 60, `${answered} of 200 were answered`);
    assert.ok("answers" in (await stack.asker().ask(1)));
    await counted(stack, {
      received: 201,
      answered: answered + 1,
      refused: errors.length,
      queued: 0,
    });
    const dropped = stack.broker.all("requests.dropped");
    assert.deepEqual(new Set(dropped.map(({ reason }) => reason)), new Set(["the queue is full"]));
  },
  { MDP_QUEUE_MAX: "20" },
);

scenario(
  "a worker killed while its service's queue is full: its request goes back all the same",
  async ({ stack, nemesis }) => {
    const workers = await stack.workersOf("e2e/processes/slow.ts", 2);
    const flood = stack.asker();
    const asked = Promise.all(Array.from({ length: 100 }, () => flood.ask(200)));
    const [victim] = await stack.atWork(workers);
    await counted(stack, { queued: 18, inFlight: 2 });
    await nemesis.kill(victim);
    const told = await asked;
    const removed = await stack.broker.logged("worker.removed");
    assert.equal(removed.requeued, 1);
    const answered = told.filter((outcome) => "answers" in outcome).length;
    assert.ok(answered >= 20, `${answered} of 100 were answered`);
    assert.ok(told.every((outcome) => "answers" in outcome || outcome.error === "QueueFull"));
    await counted(stack, { received: 100, answered, refused: 100 - answered, requeued: 1 });
  },
  { MDP_QUEUE_MAX: "20" },
);

scenario(
  "a client that stops reading with replies on their way holds up nobody, and has them in the end",
  async ({ stack, nemesis, took }) => {
    await stack.worker("workers/echo.ts");
    await stack.worker();
    const settings = { MDP_BROKER: "tcp://broker:5555" };
    const command = "clients/load.ts --mix echo --outstanding 2000 --rate 300 --every 0.2 --json";
    const consumer = await stack.container(command, { name: "consumer", settings });
    const asker = stack.asker();
    await nemesis.pause(consumer);
    const slowest = await slowestOf(20, () => asker.ask(1));
    await setTimeout(LEASE_MS);
    await nemesis.unpause(consumer);
    took("the slowest reply to another after", slowest, { most: SLACK_MS });
    await nemesis.terminate(consumer);
    assert.equal(await consumer.ended(), 0); // By its own check nothing was lost, twice or wrong.
    assert.match(consumer.output, /"lost": 0/);
    await counted(stack, { queued: 0, inFlight: 0, workers: 2 });
  },
);

async function slowestOf(times: number, ask: () => Promise<unknown>): Promise<number> {
  let slowest = 0;
  for (let nth = 0; nth < times; nth += 1) {
    const asked = Date.now();
    await ask();
    slowest = Math.max(slowest, Date.now() - asked);
  }
  return slowest;
}
