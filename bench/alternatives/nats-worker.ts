// An echo worker on the official NATS client. Each service is a queue group.

import { workerOptions } from "../arguments.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connectNats } from "./nats-connection.ts";

exitOnError();
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
