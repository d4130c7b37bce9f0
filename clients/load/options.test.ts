import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CommanderError } from "commander";
import { loadCommand, parseOptions } from "./options.ts";

const BROKER = "tcp://127.0.0.1:5555";

/** Returns the options, or the text and the exit code for the user. */
function parse(...args: string[]) {
  let output = "";
  const command = loadCommand(BROKER)
    .configureOutput({ writeErr: (text) => (output += text), writeOut: (text) => (output += text) })
    .exitOverride();
  try {
    return parseOptions(command, args);
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return { output, exitCode: error.exitCode };
  }
}

test("no arguments: a closed loop of 16 for ten seconds, on all services", () => {
  assert.deepEqual(parse(), {
    broker: BROKER,
    duration: 10,
    mix: new Map([
      ["echo", 6],
      ["math", 2],
      ["db", 2],
    ]),
    own: null,
    outstanding: 16,
    rate: null,
    timeout: 10_000,
    every: 2,
    json: false,
  });
});

test("all options given: each has its value", () => {
  const args =
    "--broker ipc:///run/mdp.sock --duration 0 --mix db=3,echo --outstanding 7 --rate 0.5 " +
    "--timeout 250 --every 0.5 --json";
  assert.deepEqual(parse(...args.split(" ")), {
    broker: "ipc:///run/mdp.sock",
    duration: 0,
    mix: new Map([
      ["db", 3],
      ["echo", 1],
    ]),
    own: null,
    outstanding: 7,
    rate: 0.5,
    timeout: 250,
    every: 0.5,
    json: true,
  });
});

test("--service: its body has a frame per --body, as text or from a file", () => {
  const own = { service: "resize", body: [Buffer.from("64x64"), readFileSync("LICENSE")] };
  const args = ["--service", "resize", "--body", "64x64", "--body", "@LICENSE"];
  assert.partialDeepStrictEqual(parse(...args), { own });
  const empty = { service: "resize", body: [Buffer.alloc(0)] };
  assert.partialDeepStrictEqual(parse("--service", "resize"), { own: empty });
});

for (const [title, args, expected] of [
  ["--body without --service", ["--body", "hi"], /^load: --body needs --service\n$/],
  [
    "--service with --mix",
    ["--service", "resize", "--mix", "echo"],
    /^load: .*cannot be used.*\n$/,
  ],
] as const) {
  test(`${title}: one line`, () => {
    const parsed = parse(...args);
    assert.ok("output" in parsed, "it was accepted");
    assert.equal(parsed.exitCode, 1);
    assert.match(parsed.output, expected);
  });
}

test("--rate: 1000 may be outstanding", () => {
  assert.partialDeepStrictEqual(parse("--rate", "500"), { rate: 500, outstanding: 1000 });
});

for (const [option, value] of [
  ["--broker", "localhost:5555"],
  ["--broker", "tcp://*:5555"],
  ["--duration", "-1"],
  ["--duration", "1e3"],
  ["--mix", "ecko"],
  ["--mix", "echo=0"],
  ["--mix", "echo=1=2"],
  ["--mix", "echo,echo"],
  ["--mix", ""],
  ["--service", ""],
  ["--body", "@/no/such/file"],
  ["--outstanding", "0"],
  ["--outstanding", "1.5"],
  ["--rate", "0"],
  ["--rate", "fast"],
  ["--timeout", "0"],
  ["--every", "0"],
] as const) {
  test(`${option} ${JSON.stringify(value)} is invalid: one line names it`, () => {
    const parsed = parse(`${option}=${value}`);
    assert.ok("output" in parsed, "it was accepted");
    assert.equal(parsed.exitCode, 1);
    assert.match(parsed.output, /^load: .+\n$/);
    assert.ok(
      parsed.output.includes(option) && parsed.output.includes(`'${value}'`),
      parsed.output,
    );
  });
}

test("unknown option: one line with a suggestion", () => {
  assert.deepEqual(parse("--rat", "5"), {
    output: "load: unknown option '--rat' (Did you mean --rate?)\n",
    exitCode: 1,
  });
});
