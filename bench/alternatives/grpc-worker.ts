// A gRPC server that echoes unary calls. It takes the place of broker and worker.

import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { workerOptions } from "../arguments.ts";
import { exitOnError } from "../exit-on-error.ts";
import { method, OPTIONS } from "./grpc-echo.ts";

exitOnError();
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
