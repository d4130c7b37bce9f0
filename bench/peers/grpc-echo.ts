// The one method of gRPC that is compared: unary, and its messages are bytes as they are, so that no
// time goes into protobuf.

import type { MethodDefinition } from "@grpc/grpc-js";

const asItIs = (bytes: Buffer) => bytes;

export function method(service: string): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/bench/${service}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
}

export const OPTIONS = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
};
