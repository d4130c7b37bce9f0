// Sends one request from the shell and prints the reply. The exit code names the outcome.

import { addAbortSignal } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Command, InvalidArgumentError } from "commander";
import { endWithReader } from "../runtime/output.ts";
import { brokerEndpoint, messageBytesMax, readSettings, transport } from "../runtime/settings.ts";
import { loadTransport } from "../transport/load-transport.ts";
import { unreachableSentence } from "../transport/transport.ts";
import { endpoint, inOneLine } from "./arguments.ts";
import { Client, type Frame } from "./client.ts";
import { explain } from "./explain.ts";

endWithReader("call");
const settings = readSettings("call", {
  MDP_BROKER: brokerEndpoint,
  MDP_TRANSPORT: transport,
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
});

const program = new Command("call")
  .description("Sends one request to a service and prints the reply, one line per frame.")
  .argument("<service>", "the name of the service: echo, math, db, mmi.service …")
  .argument("[body...]", "the frames of the request; - reads a frame from standard input")
  .option(
    "--broker <endpoint>",
    "the endpoint of the broker (or MDP_BROKER)",
    endpoint,
    settings.MDP_BROKER,
  )
  .option("--timeout <ms>", "the time to wait for the reply, in ms", milliseconds, 10_000)
  .option("--id <id>", "the call id; a second call with the same id is not executed again")
  .option("--stream", "print the parts of a reply as they arrive")
  .option("--raw", "print only the bytes of the reply, without line ends")
  .passThroughOptions() // The body may start with a minus.
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
    onUnreachable: (failure) => process.stderr.write(`call: ${unreachableSentence(failure)}\n`),
    transport: await loadTransport(settings.MDP_TRANSPORT),
  });
  const interrupted = new AbortController();
  const { signal } = interrupted;
  process.once("SIGINT", () => interrupted.abort()); // Cancels the request at the broker.
  try {
    const request = [
      service,
      await read(body, signal),
      { timeoutMs: timeout, id, signal },
    ] as const;
    if (!stream) print(await client.request(...request), raw);
    else for await (const frames of client.stream(...request)) print(frames, raw);
  } catch (error) {
    if (signal.aborted) {
      process.exitCode = 130;
      return;
    }
    const [code, sentence] = await explain(error, client, service, timeout);
    process.stderr.write(`call: ${sentence}\n`);
    process.exitCode = code;
  } finally {
    client.close();
  }
}

async function read(body: string[], signal: AbortSignal): Promise<(string | Frame)[]> {
  if (body.length === 0) return [""];
  if (!body.includes("-")) return body;
  const input = await buffer(addAbortSignal(signal, process.stdin));
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

Exit codes: 0 reply, 1 no broker or wrong usage, 2 error reply of the service, 3 no reply in time,
4 no worker of the service, 5 rejected by the broker, 6 quarantined after several workers died,
7 broker shuts down, 130 cancelled with Ctrl-C.`;
}
