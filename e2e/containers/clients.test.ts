// Clients that die, flood the broker, or stop reading.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { LEASE_MS, SLACK_MS, scenario, untilCounts } from "./scenario.ts";

/** A lease of 30 s: a paused worker stays registered. */
const LONG_LEASE = { MDP_HEARTBEAT_LIVENESS: "60" };

scenario(
  "client killed with 64 requests outstanding: they finish, other clients are served",
  async ({ stack, nemesis }) => {
    const worker = await stack.startWorker("workers/echo.ts");
    await nemesis.pause(worker);
    const client = await loadClient("--mix echo --outstanding 64");
    await untilCounts(stack, { received: 64, queued: 48, inFlight: 16 });
    await nemesis.kill(client);
    await nemesis.unpause(worker);
    // Calls of a dead client finish, because another client may repeat them under their ids.
    await untilCounts(stack, { received: 64, answered: 64, queued: 0, inFlight: 0, workers: 1 });
    assert.equal(String(await stack.client().request("echo", "still here")), "still here");
    assert.deepEqual(stack.broker.all("worker.removed"), []);

    function loadClient(options: string) {
      const settings = { MDP_BROKER: "tcp://broker:5555" };
      return stack.startContainer(`clients/load.ts ${options} --every 0.2`, {
        name: "load",
        settings,
      });
    }
  },
  LONG_LEASE,
);

scenario(
  "flood past the queue limit: the newest requests rejected, the others answered",
  async ({ stack }) => {
    await stack.startWorker();
    const flood = stack.recordingClient();
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => flood.request(50)));
    const errors = outcomes.flatMap(({ error }) => error ?? []);
    assert.deepEqual(new Set(errors), new Set(["QueueFull"]));
    const answered = outcomes.length - errors.length;
    assert.ok(answered >= 20 && answered < 60, `${answered} of 200 were answered`);
    assert.ok("answers" in (await stack.recordingClient().request(1)));
    await untilCounts(stack, {
      received: 201,
      answered: answered + 1,
      refused: errors.length,
      queued: 0,
    });
    const rejected = stack.broker.all("requests.rejected");
    assert.deepEqual(
      new Set(rejected.map(({ reason }) => reason)),
      new Set(["the service has too many open requests"]),
    );
  },
  { MDP_QUEUE_MAX: "20" },
);

scenario(
  "worker killed at the limit of open requests: its request is requeued",
  async ({ stack, nemesis }) => {
    const workers = await stack.startWorkers("e2e/processes/slow.ts", 2);
    const flood = stack.recordingClient();
    const requests = Promise.all(Array.from({ length: 100 }, () => flood.request(200)));
    const [victim] = await stack.firstBusy(workers);
    await untilCounts(stack, { queued: 18, inFlight: 2 });
    await nemesis.kill(victim);
    const outcomes = await requests;
    const removed = await stack.broker.logged("worker.removed");
    assert.equal(removed.requeued, 1);
    const answered = outcomes.filter((outcome) => "answers" in outcome).length;
    assert.ok(answered >= 20, `${answered} of 100 were answered`);
    assert.ok(outcomes.every((outcome) => "answers" in outcome || outcome.error === "QueueFull"));
    await untilCounts(stack, { received: 100, answered, refused: 100 - answered, requeued: 1 });
  },
  { MDP_QUEUE_MAX: "20" },
);

scenario(
  "client paused with replies on their way: other clients unaffected, it gets every reply later",
  async ({ stack, nemesis, checkTime }) => {
    await stack.startWorker("workers/echo.ts");
    await stack.startWorker();
    const settings = { MDP_BROKER: "tcp://broker:5555" };
    const command = "clients/load.ts --mix echo --outstanding 2000 --rate 300 --every 0.2 --json";
    const consumer = await stack.startContainer(command, { name: "consumer", settings });
    const client = stack.recordingClient();
    await nemesis.pause(consumer);
    const slowest = await slowestOf(20, () => client.request(1));
    await setTimeout(LEASE_MS);
    await nemesis.unpause(consumer);
    checkTime("slowest reply to another client", slowest, { max: SLACK_MS });
    await nemesis.terminate(consumer);
    assert.equal(await consumer.ended(), 0); // The load client checks its own replies.
    assert.match(consumer.output, /"lost": 0/);
    await untilCounts(stack, { queued: 0, inFlight: 0, workers: 2 });
  },
);

async function slowestOf(times: number, request: () => Promise<unknown>): Promise<number> {
  let slowest = 0;
  for (let index = 0; index < times; index += 1) {
    const sent = Date.now();
    await request();
    slowest = Math.max(slowest, Date.now() - sent);
  }
  return slowest;
}
