// Echoes requests that come through NATS: the official client, each service a queue group.

import { workerOptions } from "../arguments.ts";
import { endWithSentence } from "../sentence.ts";
import { connectNats } from "./nats-connection.ts";

endWithSentence();
const { endpoint, services } = workerOptions();

for (const service of services) {
  const connection = await connectNats(endpoint);
  connection.subscribe(service, {
    queue: service,
    callback: (error, message) => {
      if (error) throw error;
      message.respond(message.data);
    },
  });
  await connection.flush();
}
console.log("ready");
