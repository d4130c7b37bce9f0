import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { prettyLine } from "./pretty-line.ts";

const pretty = (level: string, msg: string) => {
  const line = { level, time: "2026-11-30T10:31:23.456Z", program: "broker", host: "h" };
  return stripVTControlCharacters(prettyLine(JSON.stringify({ ...line, event: "some", msg })));
};

test("event: a line with the time, the program and the sentence, without the fields", () => {
  assert.equal(pretty("info", "it listens"), "10:31:23.456  broker   it listens\n");
});

test("warning or error: the line has its level, also without colors", () => {
  assert.equal(pretty("warn", "it stalled"), "10:31:23.456  broker   warning: it stalled\n");
  assert.equal(pretty("error", "it failed"), "10:31:23.456  broker   error: it failed\n");
});

test("control characters in a sentence: escaped, so that the terminal shows one line", () => {
  assert.equal(
    pretty("info", "a\nb\u001b[2Jc\u202ed\u2028e\u009bf\u{e0001}g"),
    "10:31:23.456  broker   a\\u{a}b\\u{1b}[2Jc\\u{202e}d\\u{2028}e\\u{9b}f\\u{e0001}g\n",
  );
});
