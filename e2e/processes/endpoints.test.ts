// The endpoints of programs: IPv6 addresses, and ports that the system chooses.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { Client } from "../../clients/client.ts";
import { transport } from "../transport.ts";
import { Program } from "./program.ts";

const hasIpv6 = networkInterfaces().lo?.some(({ address }) => address === "::1") ?? false;

for (const [MDP_BIND, skip] of [
  ["tcp://127.0.0.1:0", false],
  ["tcp://[::1]:*", !hasIpv6],
] as const) {
  test(`broker at ${MDP_BIND}: the log has the port, and a worker and a client use it`, {
    skip,
  }, async () => {
    const broker = new Program("broker/main.ts", [], { MDP_BIND });
    const { endpoint } = await broker.logged("broker.listening");
    assert.match(String(endpoint), /:[1-9][0-9]+$/);
    const worker = new Program("workers/echo.ts", [], { MDP_BROKER: String(endpoint) });
    const client = new Client(String(endpoint), { transport });
    assert.deepEqual((await client.request("echo", "hi")).map(String), ["hi"]);
    client.close();
    await Promise.all([broker.destroy(), worker.destroy()]);
  });
}
