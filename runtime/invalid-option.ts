// Errors about invalid options: each names the option and its value.

/** The error about an option: `timeoutMs is NaN, not a number of ms above 0`. */
export const invalid = (name: string, value: unknown, expected: string) =>
  new RangeError(`${name} is ${shown(value)}, not ${expected}`);

export const isNumberFrom = (value: unknown, least: number, most: number): value is number =>
  typeof value === "number" && value >= least && value <= most;

/** Throws a RangeError unless the value is a whole number in these bounds. `what` names the unit. */
export function checkWhole(
  name: string,
  value: unknown,
  [what, least, most]: readonly [what: string, least: number, most: number],
) {
  if (!Number.isInteger(value) || !isNumberFrom(value, least, most))
    throw invalid(name, value, `${what} from ${least} to ${most}`);
}

/** Throws a RangeError for a value that is no AbortSignal, also of another realm. */
export function checkSignal(signal: AbortSignal | null | undefined) {
  if (signal === undefined || signal === null) return;
  if (typeof signal.throwIfAborted !== "function")
    throw invalid("signal", signal, "an AbortSignal");
}

/** The value for an error message: text in quotes, an object as its kind only. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  if (value instanceof Promise) return "a promise";
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
