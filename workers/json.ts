// Handlers of JSON values: they take the value in the one frame of a request, and return the value of the
// reply.

import type { Frame } from "../protocol/frame.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import { type Contract, validated } from "../runtime/contract.ts";
import { invalid } from "../runtime/invalid-option.ts";
import type { InputOf, OutputOf, StandardSchema } from "../runtime/standard-schema.ts";
import { type Handler, type HandlerContext, ServiceError } from "./job.ts";

/** A handler of a value that was JSON. It returns or resolves to the value of the reply. */
export type JsonHandler<Request, Reply> = (
  value: Request,
  request: HandlerContext,
) => Reply | Promise<Reply>;

/**
 * Makes a Handler from a handler of JSON values. A body that is not JSON in one frame is error 400; a
 * handler that returns a value without JSON is error 500. With a contract, a request that is not valid is
 * error 400 with the path of the wrong value, and a reply that is not valid is error 500.
 *
 * Throws a RangeError for a handler that is no function, or an `async function*`.
 */
export function json<Request, Reply>(handler: JsonHandler<Request, Reply>): Handler;
export function json<Request extends StandardSchema, Reply extends StandardSchema>(
  contract: Contract<Request, Reply>,
  handler: JsonHandler<OutputOf<Request>, InputOf<Reply>>,
): Handler;
export function json(
  first: Contract | JsonHandler<never, unknown>,
  second?: JsonHandler<never, unknown>,
): Handler {
  const isContract = typeof first === "object" && first !== null;
  const [contract, handler] = isContract ? [first, second] : [null, first];
  if (typeof handler !== "function") throw invalid("handler", handler, "a function");
  if (handler instanceof AsyncGeneratorFunction)
    throw invalid("handler", handler, "a function that returns one value: JSON has no parts");
  return async (body, request) => {
    const value = await requestIn(body, contract);
    const reply = await handler(value as never, request);
    await checkReply(reply, contract);
    return encodeJson(reply);
  };
}

async function requestIn(body: Frame[], contract: Contract | null): Promise<unknown> {
  const decoded = decodeJson(body);
  const result =
    contract && "value" in decoded ? await validated(contract.request, decoded.value) : decoded;
  if ("problem" in result) throw new ServiceError(400, `the request is ${result.problem}`);
  return result.value;
}

/** The client validates and converts the reply itself, so it gets the handler's own value. */
async function checkReply(reply: unknown, contract: Contract | null) {
  if (!contract) return;
  const result = await validated(contract.reply, reply);
  if ("problem" in result) throw new Error(`the reply of the handler is ${result.problem}`);
}

const AsyncGeneratorFunction = async function* () {}.constructor;
