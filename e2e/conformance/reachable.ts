// Before the first case: is there a broker, if it is another's that is put to the test?

import { fail } from "../../runtime/fail.ts";
import { brokerEndpoint, heartbeatSettings, readSettings } from "../../runtime/settings.ts";
import { Wire } from "./tcp.ts";

export async function globalSetup() {
  if (!process.env.MDP_BROKER) return;
  const { MDP_BROKER } = readSettings("conformance", {
    ...heartbeatSettings,
    MDP_BROKER: brokerEndpoint,
  });
  if (!MDP_BROKER.startsWith("tcp:"))
    fail("conformance", `${MDP_BROKER} is not reached over TCP, and some cases are about that`);
  const wire = await Wire.to(MDP_BROKER).catch((error: Error) =>
    fail(
      "conformance",
      `no broker answers at ${MDP_BROKER} (${error.message}): start it, or leave MDP_BROKER out to try ours`,
    ),
  );
  wire[Symbol.dispose]();
}
