// The load of the Client that is shipped.

import { Client } from "../../clients/client.ts";
import { Meter } from "./meter.ts";
import { loadOptions, serviceOf } from "./options.ts";

const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");
const clients = Array.from({ length: options.clients }, () => new Client(options.endpoint));
let asked = 0;

await Promise.all(clients.map((client) => client.request(serviceOf(0, options.services), body)));
const meter = new Meter(options);
for (let place = 0; place < options.outstanding; place += 1) {
  void ask(clients[place % options.clients] as Client);
}

async function ask(client: Client) {
  for (;;) {
    const sentAt = performance.now();
    try {
      const reply = await client.request(serviceOf(asked++, options.services), body);
      meter.reply(reply[0]?.length ?? 0, sentAt);
    } catch (error) {
      meter.error();
      process.stderr.write(`${error}\n`);
    }
  }
}
