// Planned changes: workers leave and join by SIGTERM and start.

import assert from "node:assert/strict";
import type { Container } from "./container.ts";
import type { Nemesis } from "./nemesis.ts";
import type { RecordingClient } from "./recording-client.ts";
import { everyRequestAnswered, SLACK_MS, scenario, untilCounts } from "./scenario.ts";
import { SLOW } from "./stack.ts";

/** The first redelivery would quarantine the request, so leaving must cause none. */
const NO_REDELIVERY = { MDP_DELIVERIES_MAX: "1" };

scenario(
  "SIGTERM to a busy worker: finishes its request, nothing is redelivered",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 2);
    const client = stack.recordingClient();
    const reply = client.request(1000);
    const [victim, other] = await stack.firstBusy(workers);
    const fault = await nemesis.terminate(victim);
    const next = [client.request(10), client.request(10)];
    assert.equal((await reply).by, victim.name);
    assert.equal(await victim.ended(), 0);
    checkTime("exited after", Date.now() - fault.from, { max: 1000 + SLACK_MS });
    const removed = await stack.broker.logged("worker.removed");
    assert.equal(removed.reason, "left");
    for (const { by } of await Promise.all(next)) assert.equal(by, other.name);
    assert.equal(stack.judge().executions, 3);
    await untilCounts(stack, { received: 3, answered: 3, workers: 1 });
  },
);

scenario(
  "scaled from 1 to 5 and down to 2 under load: nothing lost, nothing executed twice",
  async ({ stack, nemesis }) => {
    const first = await stack.startWorker();
    const load = stack.startLoad();
    await load.advances();
    const [second, ...more] = await stack.startWorkers(SLOW, 4);
    await load.advances(200);
    const served = new Set(
      stack.workers.filter((worker) => worker.all("slow.finished").length > 0),
    );
    assert.equal(served.size, 5);
    const client = stack.recordingClient();
    // Long requests keep the leaving workers busy.
    const long = Array.from({ length: 20 }, () => client.request(300));
    for (const worker of more)
      await worker.logged("slow.began", ({ request }) => isFrom(client, request));
    await Promise.all(more.map((worker) => stop(nemesis, worker)));
    await load.advances();
    await Promise.all([load.stop(), ...long]);
    const sent = everyRequestAnswered(stack);
    assert.deepEqual(stack.executedTwice, []);
    const removed = stack.broker.all("worker.removed").map(({ reason }) => reason);
    assert.deepEqual(removed, ["left", "left", "left"]);
    await untilCounts(stack, { received: sent, answered: sent, workers: 2, inFlight: 0 });
    for (const worker of [first, second]) assert.deepEqual(worker.all("session.lost"), []);
  },
  NO_REDELIVERY,
);

scenario(
  "rolling restart of all workers under load: nothing lost, nothing executed twice",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 4);
    const load = stack.startLoad();
    const times: number[] = [];
    for (const worker of workers) {
      const [begun, registered] = [Date.now(), stack.registrations];
      await stop(nemesis, worker);
      await nemesis.revive(worker);
      await stack.broker.logged("worker.registered", () => stack.registrations > registered);
      times.push(Date.now() - begun);
      await load.advances(20);
    }
    await load.stop();
    checkTime("each worker replaced within", Math.max(...times), { max: 4 * SLACK_MS });
    const sent = everyRequestAnswered(stack);
    assert.deepEqual(stack.executedTwice, []);
    await untilCounts(stack, { received: sent, answered: sent, workers: 4, inFlight: 0 });
  },
  NO_REDELIVERY,
);

const isFrom = ({ name }: RecordingClient, request: unknown) =>
  String(request).startsWith(`${name}-`);

async function stop(nemesis: Nemesis, worker: Container) {
  await nemesis.terminate(worker);
  assert.equal(await worker.ended(), 0);
}
