// JSON that JavaScript keeps exactly: db stores a value as JavaScript writes it, and must not change it.

import { ServiceError } from "../worker.ts";

/**
 * Parses JSON. Throws a SyntaxError for any other text, and a ServiceError with code 400 for a number
 * that would become another one, or an object that has a property twice.
 */
export function parseExactly(json: string): unknown {
  let properties = 0;
  const value = JSON.parse(json, function check(this: unknown, name, value, context?: Context) {
    if (!Array.isArray(this)) properties += 1;
    if (typeof value === "number" && !isKept(value, context?.source ?? "")) {
      const where = JSON.stringify(name).slice(0, NAME_CHARACTERS_MAX);
      throw new ServiceError(400, `the number at ${where} cannot be kept exactly`);
    }
    return value;
  });
  // The value has a property "" that JSON.parse adds for itself.
  if (properties - 1 === colonsIn(json)) return value;
  throw new ServiceError(400, "an object has a property twice");
}

type Context = { source?: string };

const NAME_CHARACTERS_MAX = 50;

/**
 * Whether JavaScript writes this number with the same decimal value as `source` has. It writes the
 * shortest text that stands for the number, so 0.1 is kept, and 9007199254740993 is not.
 */
function isKept(value: number, source: string): boolean {
  if (source.length <= DIGITS_KEPT && !/e/i.test(source)) return true;
  return decimalOf(source) === decimalOf(String(value));
}

/** A double keeps all decimals of so many digits. */
const DIGITS_KEPT = 15;

/** One text per decimal value: the digits without zeros at both ends, and the exponent. */
function decimalOf(text: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  let end = digits.length;
  while (digits[end - 1] === "0") end -= 1;
  if (end === 0) return whole === "" ? "none" : "0";
  const zeros = digits.length - end;
  return `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + zeros}`;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;

/** The number of properties in a JSON text: its colons outside of strings. */
function colonsIn(json: string): number {
  let colons = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charCodeAt(at);
    if (character === QUOTE) isInString = !isInString;
    else if (character === BACKSLASH)
      at += 1; // Only strings have one.
    else if (character === COLON && !isInString) colons += 1;
  }
  return colons;
}

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];
