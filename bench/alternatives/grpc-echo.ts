// The gRPC method of the comparison: unary, with raw bytes as messages, so protobuf costs no time.

import type { MethodDefinition } from "@grpc/grpc-js";

const identity = (bytes: Buffer) => bytes;

/** The method of a service: it returns the request's bytes. */
export function method(service: string): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/bench/${service}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}

/** Messages of any size. */
export const OPTIONS = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
};
