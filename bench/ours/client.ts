// The load of the Client that is shipped.

import { Client } from "../../clients/client.ts";
import { loadOptions } from "../arguments.ts";
import { closedLoop } from "../closed-loop.ts";
import { endWithSentence } from "../sentence.ts";
import { transport } from "./transport.ts";

endWithSentence();
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
