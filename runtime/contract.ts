// Contracts: the name of a service with the schemas of its requests and replies, which its workers and
// clients share.

import { invalid } from "./invalid-option.ts";
import type { Issue, StandardSchema } from "./standard-schema.ts";

/** A service whose requests and replies are JSON values that these schemas describe. */
export type Contract<
  Request extends StandardSchema = StandardSchema,
  Reply extends StandardSchema = StandardSchema,
> = {
  /** The name of the service. */
  readonly service: string;
  /** The schema of a request. The worker validates requests with it. */
  readonly request: Request;
  /** The schema of a reply. The worker checks replies with it, and the client validates them. */
  readonly reply: Reply;
};

/**
 * Returns a contract from schemas of any library with the Standard Schema interface, such as zod, valibot
 * or arktype. Throws a RangeError if a schema is none.
 */
export function contract<Request extends StandardSchema, Reply extends StandardSchema>(
  service: string,
  { request, reply }: { request: Request; reply: Reply },
): Contract<Request, Reply> {
  for (const [name, schema] of Object.entries({ request, reply }))
    if (typeof schema?.["~standard"]?.validate !== "function")
      throw invalid(name, schema, "a schema with the Standard Schema interface");
  return { service, request, reply };
}

/**
 * Resolves to the value that the schema returns for `value`, or to the problems as a part of a
 * sentence, each with its path: `not valid: items[0].price: expected number`.
 */
export async function validated(
  schema: StandardSchema,
  value: unknown,
): Promise<{ value: unknown } | { problem: string }> {
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return { value: result.value };
  const shown = result.issues.slice(0, ISSUES_SHOWN).map(sentenceOf);
  const more = result.issues.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  return { problem: `not valid: ${shown.join("; ")}` };
}

/** Bounds the sentence of an error reply. */
const ISSUES_SHOWN = 5;

function sentenceOf({ path = [], message }: Issue): string {
  const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment));
  const place = keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  const at = place.join("").replace(/^\./, "");
  return at === "" ? message : `${at}: ${message}`;
}
