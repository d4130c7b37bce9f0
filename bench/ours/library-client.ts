// The load generator on the Client of the client library.

import { Client } from "../../clients/client.ts";
import { loadOptions } from "../arguments.ts";
import { closedLoop } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";
import { transport } from "./connections.ts";

exitOnError();
const options = loadOptions();
const [service = ""] = options.services;
const body = Buffer.alloc(options.bytes, "x");
const clients = Array.from(
  { length: options.clients },
  () => new Client(options.endpoint, { transport }),
);
await Promise.all(clients.map((client) => client.request(service, body)));

await closedLoop(options, (slot) => {
  clients[slot.client]
    ?.request(slot.service, body)
    .then(([reply]) => slot.done(reply?.length ?? 0), slot.failed);
});
