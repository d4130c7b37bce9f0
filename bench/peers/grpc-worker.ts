// A server that echoes unary calls. Clients call it without a broker: it is both.

import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { workerOptions } from "../arguments.ts";
import { endWithSentence } from "../sentence.ts";
import { method, OPTIONS } from "./grpc-echo.ts";

endWithSentence();
const { endpoint, services } = workerOptions();

const echo = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
  reply(null, call.request);

const server = new Server(OPTIONS);
const methods = services.map((service) => [service, method(service)]);
server.addService(
  Object.fromEntries(methods),
  Object.fromEntries(services.map((service) => [service, echo])),
);
server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log("ready");
});
