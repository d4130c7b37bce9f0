// One request from the shell: prints the reply, and ends with an exit code that means something.

import { buffer } from "node:stream/consumers";
import { Command, InvalidArgumentError } from "commander";
import { endWithReader } from "../runtime/output.ts";
import { brokerEndpoint, messageBytesMax, readSettings, transport } from "../runtime/settings.ts";
import { loadTransport } from "../transport/load.ts";
import { endpoint, inOneLine } from "./arguments.ts";
import { Client, type Frame } from "./client.ts";
import { explain } from "./explain.ts";

endWithReader();
const settings = readSettings("call", {
  MDP_BROKER: brokerEndpoint,
  MDP_TRANSPORT: transport,
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
  .option("--id <id>", "name the call, so that asking again does not execute it again")
  .option("--stream", "print the parts of a reply as they come")
  .option("--raw", "print the reply's bytes and nothing else")
  .passThroughOptions() // So that a body may start with a minus.
  .addHelpText("after", examples())
  .configureOutput(inOneLine("call"))
  .exitOverride(({ exitCode }) => process.exit(exitCode))
  .action(call);
await program.parseAsync();

type Options = { broker: string; timeout: number; id?: string; stream?: boolean; raw?: boolean };

async function call(
  service: string,
  body: string[],
  { broker, timeout, id, stream = false, raw = false }: Options,
) {
  const client = new Client(broker, {
    silenceMs: 1000,
    messageBytesMax: settings.MDP_MESSAGE_BYTES_MAX,
    transport: await loadTransport(settings.MDP_TRANSPORT),
  });
  process.once("SIGINT", () => process.exit(130));
  try {
    const asked = [service, await read(body), { timeoutMs: timeout, id }] as const;
    if (!stream) print(await client.request(...asked), raw);
    else for await (const frames of client.stream(...asked)) print(frames, raw);
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

Exit codes: 0 a reply, 1 no broker or wrong use, 2 the service said no, 3 no reply in time,
4 no worker of the service, 5 refused by the broker, 6 quarantined: its workers died with it,
7 the broker is shutting down.`;
}
