// The command line of the load client.

import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Frame } from "../../protocol/frame.ts";
import {
  brokerEndpoint,
  messageBytesMax,
  readSettings,
  transport,
} from "../../runtime/settings.ts";
import type { TransportName } from "../../transport/transport.ts";
import { endpoint, inOneLine } from "../arguments.ts";
import { type OwnService, SERVICES, type ServiceName } from "./exchange.ts";
import type { Mix } from "./workload.ts";

/** The options of a run. */
export type Options = {
  /** The endpoint of the broker. */
  broker: string;
  transport: TransportName;
  /** Of the broker: the largest request, in bytes. */
  messageBytesMax: number;
  /** In seconds; 0: until a signal. */
  duration: number;
  /** The services of this project and their weights; not used with `own`. */
  mix: Mix;
  /** The one service to load instead of the mix, or null. */
  own: OwnService | null;
  /** The largest number of outstanding requests. */
  outstanding: number;
  /** Requests per second; null: a closed loop. */
  rate: number | null;
  /** Per try, in ms. */
  timeout: number;
  /** The interval between two statistics lines, in seconds. */
  every: number;
  json: boolean;
};

/** The services that a run loads. */
export const servicesOf = ({ mix, own }: Pick<Options, "mix" | "own">): string[] =>
  own ? [own.service] : [...mix.keys()];

/** Reads the options of this process. A bad value ends it with one line that names the value. */
export function loadOptions(): Options {
  const settings = readSettings("load", {
    MDP_BROKER: brokerEndpoint,
    MDP_TRANSPORT: transport,
    MDP_MESSAGE_BYTES_MAX: messageBytesMax,
  });
  return {
    ...parseOptions(loadCommand(settings.MDP_BROKER), process.argv.slice(2)),
    transport: settings.MDP_TRANSPORT,
    messageBytesMax: settings.MDP_MESSAGE_BYTES_MAX,
  };
}

/** Parses arguments with the command of loadCommand(). */
export function parseOptions(
  command: Command,
  args: string[],
): Omit<Options, "transport" | "messageBytesMax"> {
  const { service, body, ...parsed } = command.parse(args, { from: "user" }).opts();
  if (body && service === undefined) command.error("error: --body needs --service");
  const rate: number | null = parsed.rate ?? null;
  const outstanding =
    parsed.outstanding ?? (rate === null ? CLOSED_LOOP_OUTSTANDING : OPEN_LOOP_OUTSTANDING);
  const own = service === undefined ? null : { service, body: body ?? [Buffer.alloc(0)] };
  return { ...(parsed as Options), own, rate, outstanding };
}

/** Returns the command line of the load client; `broker` is the default endpoint. */
export function loadCommand(broker: string): Command {
  const option = (flags: string, description: string, parse: (value: string) => unknown) =>
    new Option(flags, description).argParser(parse);
  const seconds = (least: number) => number("seconds", least, SECONDS_MAX);
  return new Command("load")
    .usage("[options]")
    .description(DESCRIPTION)
    .addOption(
      option("--broker <endpoint>", "the endpoint of the broker", endpoint).default(broker),
    )
    .addOption(option("--duration <s>", "how long to run; 0: until Ctrl-C", seconds(0)).default(10))
    .addOption(
      option("--mix <weights>", "the services and their shares of the requests", mix).default(
        mix(DEFAULT_MIX),
        DEFAULT_MIX,
      ),
    )
    .addOption(option("--service <name>", "one service instead of the mix", text).conflicts("mix"))
    .addOption(
      new Option("--body <frame>", BODY).argParser((value: string, frames: Frame[] = []) => [
        ...frames,
        frame(value),
      ]),
    )
    .addOption(
      option(
        "--outstanding <n>",
        "how many requests may be outstanding",
        whole("requests", 100_000),
      ).default(null, `${CLOSED_LOOP_OUTSTANDING}; with --rate, at most ${OPEN_LOOP_OUTSTANDING}`),
    )
    .addOption(option("--rate <n>", RATE, number("requests per second", 0.001, 1_000_000)))
    .addOption(
      option(
        "--timeout <ms>",
        "how long to wait for a reply before the next try",
        whole("ms", 3_600_000),
      ).default(10_000),
    )
    .addOption(
      option("--every <s>", "the interval between statistics lines", seconds(0.1)).default(2),
    )
    .option("--json", "print only the report to stdout, as JSON", false)
    .addHelpText("after", AFTER_HELP)
    .configureOutput(inOneLine("load"));
}

function mix(value: string): Mix {
  const weights = new Map<ServiceName, number>();
  for (const part of value.split(",")) {
    const [name, weight = "1", ...rest] = part.split("=");
    const service = SERVICES.find((known) => known === name);
    const known = service !== undefined && !weights.has(service) && rest.length === 0;
    if (!known || !/^[1-9][0-9]{0,3}$/.test(weight)) {
      const at = JSON.stringify(part);
      throw new InvalidArgumentError(`At ${at}: it is a list such as ${DEFAULT_MIX} or echo,db.`);
    }
    weights.set(service, Number(weight));
  }
  return weights;
}

function text(value: string): string {
  if (value !== "") return value;
  throw new InvalidArgumentError("It is empty.");
}

/** Returns a frame of the body: the bytes of a file for `@path`, else the text. */
function frame(value: string): Frame {
  if (!value.startsWith("@")) return Buffer.from(value);
  try {
    return readFileSync(value.slice(1));
  } catch (error) {
    throw new InvalidArgumentError(`The file cannot be read: ${(error as Error).message}.`);
  }
}

const whole = (unit: string, most: number) => number(unit, 1, most, /^[0-9]+$/);

const number =
  (unit: string, least: number, most: number, digits = /^[0-9]+(\.[0-9]+)?$/) =>
  (value: string) => {
    if (digits.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw new InvalidArgumentError(`It is not a number of ${unit} from ${least} to ${most}.`);
  };

const CLOSED_LOOP_OUTSTANDING = 16;
const OPEN_LOOP_OUTSTANDING = 1000;
const SECONDS_MAX = 2_000_000; // A timer of Node runs for at most 24 days.
const DEFAULT_MIX = "echo=6,math=2,db=2";

const DESCRIPTION =
  "Sends requests to the echo, math and db services or to any other one through the broker, " +
  "checks every reply, and reports the outcomes and the latencies.";

const BODY = "with --service: a frame of each request, as text or @file; may be repeated";

const RATE = "start n requests per second, independent of the replies";

const AFTER_HELP = `
Examples:
  npm run load                             16 requests at a time for 10 seconds
  npm run load -- --outstanding 256        the maximum throughput of the broker
  npm run load -- --rate 500 --mix echo    one service, at a steady rate
  npm run load -- --service resize --body @photo.jpg
                                           any service, with a body from a file
  npm run -s load -- --json | jq .total    for programs

With --service, each reply that is no error counts as correct.

With --rate, the latency of a request starts at its scheduled time, so the
latencies include every pause of the broker. If too many requests are
outstanding, the next one starts late.

The load client tries a request without a reply three times. Then the request
counts as lost, or as refused if the broker sent a reason. The exit code is 1 if
any request was lost, got a wrong reply or got two replies, or if no request was
answered. Otherwise it is 0.

The first Ctrl-C ends the run: the load client waits until the outstanding
requests have all their tries, and prints the report. At the second Ctrl-C it
waits no longer, and counts them as unfinished. The third ends the process.`;
