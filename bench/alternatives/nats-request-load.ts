// The load generator on `request()` of the official NATS client.

import { loadOptions } from "../arguments.ts";
import { closedLoop } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connectNats } from "./nats-connection.ts";

exitOnError();
const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");
const connecting = Array.from({ length: options.clients }, () => connectNats(options.endpoint));
const connections = await Promise.all(connecting);

await closedLoop(options, (slot) => {
  connections[slot.client]
    ?.request(slot.service, body, { timeout: 60_000 })
    .then((reply) => slot.done(reply.data.length), slot.failed);
});
