// Two faults at once: the recovery from one must not break the recovery from the other.

import assert from "node:assert/strict";
import type { BackgroundLoad } from "./background-load.ts";
import { everyRequestAnswered, scenario, untilCounts } from "./scenario.ts";
import { SLOW, type Stack } from "./stack.ts";

/** Repeated redeliveries must not quarantine a request. */
const MANY_DELIVERIES = { MDP_DELIVERIES_MAX: "20" };

scenario(
  "worker killed while another is paused past its lease: every request answered",
  async ({ stack, nemesis }) => {
    const [one, two] = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances();
    await Promise.all([nemesis.kill(one), nemesis.pause(two)]);
    const reasons = () => stack.broker.all("worker.removed").map(({ reason }) => reason);
    await stack.broker.logged("worker.removed", () => reasons().length === 2);
    assert.deepEqual(reasons(), ["gone", "expired"]);
    await load.advances();
    await Promise.all([nemesis.revive(one), nemesis.unpause(two)]);
    await untilCounts(stack, { workers: 3 });
    await load.stop();
    const sent = everyRequestAnswered(stack);
    await untilCounts(stack, { received: sent, answered: sent, queued: 0, inFlight: 0 });
  },
);

scenario(
  "broker and a worker killed together: every request answered",
  async ({ stack, nemesis }) => {
    const [one] = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances();
    await Promise.all([nemesis.kill(one), nemesis.kill(stack.broker)]);
    await nemesis.revive(stack.broker);
    await load.advances();
    await nemesis.revive(one);
    await checkRecovery(stack, load);
  },
  MANY_DELIVERIES,
);

scenario(
  "worker killed while the broker is paused, another while it is disconnected: all answered",
  async ({ stack, nemesis }) => {
    const [one, two, three] = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances();
    await nemesis.pause(stack.broker);
    await nemesis.kill(one);
    await three.logged("session.lost", ({ reason }) => /^no heartbeat /.test(String(reason)));
    await nemesis.unpause(stack.broker);
    await nemesis.disconnect(stack.broker);
    await nemesis.kill(two);
    await nemesis.connect(stack.broker);
    await load.advances();
    await Promise.all([nemesis.revive(one), nemesis.revive(two)]);
    await checkRecovery(stack, load);
  },
  MANY_DELIVERIES,
);

scenario(
  "SIGTERM to the broker and all workers together: all exit 0, nothing executed twice",
  async ({ stack, nemesis }) => {
    const workers = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances();
    await Promise.all([stack.broker, ...workers].map((each) => nemesis.terminate(each)));
    const codes = await Promise.all([stack.broker, ...workers].map((each) => each.ended()));
    assert.deepEqual(codes, [0, 0, 0, 0]);
    assert.deepEqual(stack.executedTwice, []);
    for (const each of [stack.broker, ...workers]) await nemesis.revive(each);
    await load.advances();
    await load.stop();
    everyRequestAnswered(stack);
    await untilCounts(stack, { queued: 0, inFlight: 0, workers: 3 });
  },
);

/** Waits until all workers are registered and every request is answered. */
async function checkRecovery(stack: Stack, load: BackgroundLoad) {
  await untilCounts(stack, { workers: 3 });
  await load.stop();
  everyRequestAnswered(stack);
  await untilCounts(stack, { queued: 0, inFlight: 0 });
}
