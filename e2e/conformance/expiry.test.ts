// 7/MDP, MDP/Client: the expiry of queued requests. Its broker lets a request live for one second.

import { after, test } from "node:test";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { uniqueName } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start(2500, { MDP_REQUEST_TTL_MS: "1000" });
after(() => broker.stop());

test("MDP1-B-13 no worker for longer than a request may live: not delivered", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has a limit of its own");
  const service = uniqueName();
  using client = broker.client();
  await client.sends("", "MDPC01", service, "expired");
  await client.receivesNothing();
  await broker.untilForgotten(service);
  using worker = await broker.registeredWorker(service);
  await worker.receivesNothing();
  await client.receivesNothing();
  await echo(client, worker, service);
});

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
