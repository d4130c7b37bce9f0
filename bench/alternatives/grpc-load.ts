// The load generator on gRPC: unary calls straight to the server, without a broker.

import { promisify } from "node:util";
import { Client, credentials } from "@grpc/grpc-js";
import { loadOptions } from "../arguments.ts";
import { closedLoop } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";
import { method, OPTIONS } from "./grpc-echo.ts";

exitOnError();
const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");
const methods = new Map(options.services.map((service) => [service, method(service)]));

const connecting = Array.from({ length: options.clients }, async () => {
  // By default all clients of a process share one connection.
  const own = { ...OPTIONS, "grpc.use_local_subchannel_pool": 1 };
  const client = new Client(options.endpoint, credentials.createInsecure(), own);
  await promisify(client.waitForReady).call(client, Date.now() + 5000);
  return client;
});
const clients = await Promise.all(connecting);

await closedLoop(options, (slot) => {
  const called = methods.get(slot.service);
  if (!called) return;
  clients[slot.client]?.makeUnaryRequest(
    called.path,
    called.requestSerialize,
    called.responseDeserialize,
    body,
    (error, reply) => (error ? slot.failed(error) : slot.done(reply?.length ?? 0)),
  );
});
