// One request from the shell: prints the reply, and ends with an exit code that means something.

import { buffer } from "node:stream/consumers";
import { Command, InvalidArgumentError } from "commander";
import { brokerEndpoint, environment, messageBytesMax } from "../program/environment.ts";
import { endWithReader } from "../program/output.ts";
import { endpoint, inOneLine } from "./arguments.ts";
import { Client, type Frame, NoBroker, ServiceFailed, TimedOut } from "./client.ts";

const EXIT_USAGE_OR_NO_BROKER = 1;
const EXIT_SERVICE_SAID_NO = 2;
const EXIT_NO_REPLY = 3;

endWithReader();
const settings = environment("call", {
  MDP_BROKER: brokerEndpoint,
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
});

const program = new Command("call")
  .description("Asks a service once and prints the reply, a line a frame.")
  .argument("<service>", "whom to ask: echo, math, db, mmi.service …")
  .argument("[body...]", "the frames of the request; - reads one from standard input")
  .option(
    "--broker <endpoint>",
    "where the broker is (or MDP_BROKER)",
    endpoint,
    settings.MDP_BROKER,
  )
  .option("--timeout <ms>", "how long to wait for the reply", milliseconds, 10_000)
  .option("--raw", "print the reply's bytes and nothing else")
  .passThroughOptions() // So that a body may start with a minus.
  .addHelpText("after", examples())
  .configureOutput(inOneLine("call"))
  .exitOverride(({ exitCode }) => process.exit(exitCode))
  .action(call);
await program.parseAsync();

async function call(
  service: string,
  body: string[],
  { broker, timeout, raw }: { broker: string; timeout: number; raw?: true },
) {
  const client = new Client(broker, {
    silenceMs: 1000,
    messageBytesMax: settings.MDP_MESSAGE_BYTES_MAX,
  });
  process.once("SIGINT", () => process.exit(130));
  try {
    const frames = await client.request(service, await read(body), { timeoutMs: timeout });
    print(frames, raw ?? false);
  } catch (error) {
    const [code, sentence] = await explain(error, client, service);
    process.stderr.write(`call: ${sentence}\n`);
    process.exitCode = code;
  } finally {
    client.close();
  }
}

async function read(body: string[]): Promise<(string | Frame)[]> {
  if (body.length === 0) return [""];
  if (!body.includes("-")) return body;
  const input = await buffer(process.stdin);
  return body.map((frame) => (frame === "-" ? input : frame));
}

function print(frames: Frame[], raw: boolean) {
  for (const frame of frames) {
    process.stdout.write(frame);
    if (!raw) process.stdout.write("\n");
  }
}

/** The exit code, and the sentence that says what happened and what to do next. */
async function explain(error: unknown, client: Client, service: string): Promise<[number, string]> {
  if (error instanceof ServiceFailed) {
    return [EXIT_SERVICE_SAID_NO, `${service} says ${error.code}: ${error.message}`];
  }
  if (error instanceof NoBroker) {
    const next = "start one with `npm run broker`, or name another with --broker";
    return [EXIT_USAGE_OR_NO_BROKER, `${error.message}: ${next}`];
  }
  if (error instanceof TimedOut) return [EXIT_NO_REPLY, await diagnose(error, client, service)];
  if (error instanceof Error) return [EXIT_USAGE_OR_NO_BROKER, error.message];
  throw error;
}

/** A plain request that nobody serves waits in vain, so ask the broker whether that is why. */
async function diagnose(error: TimedOut, client: Client, service: string): Promise<string> {
  try {
    const [status] = await client.request("mmi.service", service, { timeoutMs: 1000 });
    if (String(status) !== "404") return error.message;
    return `${error.message}: no worker of ${service} is registered with the broker`;
  } catch {
    return `${error.message}: the broker itself does not answer`;
  }
}

function milliseconds(value: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is not a number of ms from 1 to 999999999.");
}

function examples() {
  return `
Options come before the service. Examples:
  npm run -s call -- echo hello
  npm run -s call -- math '-2 + 44'
  echo '{"command":"get","key":"a"}' | npm run -s call -- db -

Exit codes: 0 a reply, 1 no broker or wrong use, 2 the service said no, 3 no reply in time.`;
}
