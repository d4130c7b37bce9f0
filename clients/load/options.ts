// The arguments of the load client.

import { Command, InvalidArgumentError, Option } from "commander";
import { brokerEndpoint, readSettings, transport } from "../../runtime/settings.ts";
import type { TransportName } from "../../transport/transport.ts";
import { endpoint, inOneLine } from "../arguments.ts";
import { SERVICES, type ServiceName } from "./exchange.ts";
import type { Mix } from "./workload.ts";

export type Options = {
  broker: string;
  transport: TransportName;
  duration: number; // In seconds; 0: until a signal.
  mix: Mix;
  outstanding: number; // The most requests at once.
  rate: number | null; // Requests per second; null: a closed loop.
  timeout: number; // In ms.
  every: number; // In seconds.
  json: boolean;
};

/** The arguments of this process. Bad ones end it with one line that names the bad value. */
export function loadOptions(): Options {
  const { MDP_BROKER, MDP_TRANSPORT } = readSettings("load", {
    MDP_BROKER: brokerEndpoint,
    MDP_TRANSPORT: transport,
  });
  const options = parseOptions(loadCommand(MDP_BROKER), process.argv.slice(2));
  return { ...options, transport: MDP_TRANSPORT };
}

export function parseOptions(command: Command, args: string[]): Omit<Options, "transport"> {
  const parsed = command.parse(args, { from: "user" }).opts();
  const rate: number | null = parsed.rate ?? null;
  const outstanding =
    parsed.outstanding ?? (rate === null ? CLOSED_LOOP_OUTSTANDING : OPEN_LOOP_OUTSTANDING);
  return { ...(parsed as Options), rate, outstanding };
}

export function loadCommand(broker: string): Command {
  const option = (flags: string, description: string, parse: (value: string) => unknown) =>
    new Option(flags, description).argParser(parse);
  const seconds = (least: number) => number("seconds", least, SECONDS_MAX);
  return new Command("load")
    .usage("[options]")
    .description(DESCRIPTION)
    .addOption(option("--broker <endpoint>", "where the broker is", endpoint).default(broker))
    .addOption(option("--duration <s>", "how long; 0 is until Ctrl-C", seconds(0)).default(10))
    .addOption(
      option("--mix <weights>", "the services, and how often each is asked", mix).default(
        mix(DEFAULT_MIX),
        DEFAULT_MIX,
      ),
    )
    .addOption(
      option(
        "--outstanding <n>",
        "how many requests wait for a reply at once",
        whole("requests", 100_000),
      ).default(null, `${CLOSED_LOOP_OUTSTANDING}; with --rate, at most ${OPEN_LOOP_OUTSTANDING}`),
    )
    .addOption(option("--rate <n>", RATE, number("requests a second", 0.001, 1_000_000)))
    .addOption(
      option(
        "--timeout <ms>",
        "after how long without a reply to ask again",
        whole("ms", 3_600_000),
      ).default(10_000),
    )
    .addOption(option("--every <s>", "how often to print statistics", seconds(0.1)).default(2))
    .option("--json", "print the report as JSON, and nothing else on stdout", false)
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

const whole = (unit: string, most: number) => number(unit, 1, most, /^[0-9]+$/);

const number =
  (unit: string, least: number, most: number, digits = /^[0-9]+(\.[0-9]+)?$/) =>
  (value: string) => {
    if (digits.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw new InvalidArgumentError(`It is not a number of ${unit} from ${least} to ${most}.`);
  };

const CLOSED_LOOP_OUTSTANDING = 16;
const OPEN_LOOP_OUTSTANDING = 1000;
const SECONDS_MAX = 2_000_000; // A timer of Node cannot be set for more than 24 days.
const DEFAULT_MIX = "echo=6,math=2,db=2";

const DESCRIPTION =
  "Asks the echo, math and db services through the broker, checks every reply, and " +
  "reports what became of the requests and how long the replies took.";

const RATE = "start n requests a second, whether or not earlier ones were answered";

const AFTER_HELP = `
Examples:
  npm run load                             16 requests at a time for 10 seconds
  npm run load -- --outstanding 256        as much as the broker can do
  npm run load -- --rate 500 --mix echo    one service, at a steady rate
  npm run -s load -- --json | jq .total    for programs

With --rate, latency counts from the moment at which a request was to start, so
that a pause of the broker shows in full. If too many requests are outstanding,
the next one starts late.

A request without a reply is asked three times. Then it is lost, or refused if
the broker said why there is none. The exit code is 1 if any request was lost,
had a wrong reply, or had more than one, or if none was answered at all;
otherwise it is 0.

Ctrl-C ends the run and prints its report; a second one ends it at once.`;
