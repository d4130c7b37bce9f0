// Runs before the first test: checks that a broker listens at MDP_BROKER, where that is set.

import { fail } from "../../runtime/fail.ts";
import { brokerEndpoint, heartbeatSettings, readSettings } from "../../runtime/settings.ts";
import { TcpConnection } from "./tcp-connection.ts";

export async function globalSetup() {
  if (!process.env.MDP_BROKER) return;
  const { MDP_BROKER } = readSettings("conformance", {
    ...heartbeatSettings,
    MDP_BROKER: brokerEndpoint,
  });
  if (!MDP_BROKER.startsWith("tcp:"))
    fail("conformance", `${MDP_BROKER} is no TCP endpoint, and some tests are about TCP`);
  const connection = await TcpConnection.to(MDP_BROKER).catch((error: Error) =>
    fail(
      "conformance",
      `cannot connect to ${MDP_BROKER} (${error.message}): start it, or unset MDP_BROKER to test ours`,
    ),
  );
  connection[Symbol.dispose]();
}
