// The console: a page that shows brokers, services, workers and events live, and calls services. It reads
// the management services of each broker through a client, as any client can.
//
//   console/watch.ts          reads the management services again and again
//   console/readings.ts       parses the replies
//   console/board.ts          merges the readings of all brokers into one view (pure)
//     broker-view.ts            one broker: figures, state, events
//     removals.ts               removed workers, and their requests on the way to the next
//     rates.ts history.ts       rates and latencies; the samples of five minutes
//     feed.ts                   the last events of all brokers
//   console/server.ts         serves the page, its stream and its calls
//     access.ts                 refuses requests of other sites (pure)
//     files.ts                  the files of the page, and of its libraries
//     streams.ts                the open pages
//     form-call.ts              a call of the form
//   console/tips.ts           three things to try
//   console/page/             the page itself, as the browser runs it

import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import { hostname } from "node:os";
import { fail } from "../runtime/fail.ts";
import { logger } from "../runtime/log.ts";
import {
  brokerEndpoints,
  logSettings,
  messageBytesMax,
  readSettings,
  text,
  transport as transportName,
  whole,
} from "../runtime/settings.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { loadTransport } from "../transport/load-transport.ts";
import { Client } from "./client.ts";
import { Board } from "./console/board.ts";
import { callService } from "./console/form-call.ts";
import { SAMPLE_MS } from "./console/history.ts";
import { consoleServer } from "./console/server.ts";
import { Streams } from "./console/streams.ts";
import { type Tip, tipsFor } from "./console/tips.ts";
import { watch } from "./console/watch.ts";

const settings = readSettings("console", {
  MDP_BROKER: brokerEndpoints,
  MDP_TRANSPORT: transportName,
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
  MDP_CONSOLE_HOST: text("127.0.0.1"),
  MDP_CONSOLE_PORT: whole("a port", 0, 65_535, 8080),
  ...logSettings,
});

type ConsoleEvent =
  | { event: "console.listening"; url: string; tokenUrl: string }
  | ({ event: "console.tip" } & Tip)
  | { event: "console.stopped" };

const log = logger<ConsoleEvent>("console", settings, {
  levelOf: () => "info",
  sentenceOf(entry) {
    if (entry.event === "console.tip") return `try: ${entry.text}: ${entry.command}`;
    if (entry.event === "console.stopped") return "stopped";
    return `open ${entry.tokenUrl} (without #… it is read-only)`;
  },
});

const now = () => performance.timeOrigin + performance.now();
const transport = await loadTransport(settings.MDP_TRANSPORT);
const options = { transport, messageBytesMax: settings.MDP_MESSAGE_BYTES_MAX };
const endpoints = [...new Set(settings.MDP_BROKER)];
const clients = endpoints.map((endpoint) => new Client(endpoint, options));
const board = new Board(endpoints, now());
const streams = new Streams(board, now);
const token = randomBytes(16).toString("hex");
const tips = tipsFor(/^[0-9a-f]{12}$/.test(hostname())); // The host of a container is its id.
const stop = new AbortController();

const server = consoleServer({
  token,
  streams,
  call(form, signal) {
    const up = board.brokers.findIndex(({ figures }) => figures !== null);
    return callService(clients[Math.max(up, 0)] as Client, form, signal);
  },
});
const { MDP_CONSOLE_HOST: host, MDP_CONSOLE_PORT: port } = settings;
server.on("error", (error) =>
  fail("console", `cannot listen on ${host}:${port}: ${error.message}`),
);
server.listen(port, host, () => {
  const address = server.address();
  const bound = address !== null && typeof address === "object" ? address.port : port;
  const url = `http://${isIPv6(host) && host !== "::" ? `[${host}]` : "127.0.0.1"}:${bound}/`;
  log({ event: "console.listening", url, tokenUrl: `${url}#token=${token}` });
  for (const tip of tips) log({ event: "console.tip", ...tip });
});

for (const [nth, client] of clients.entries()) {
  const broker = board.brokers[nth] ?? fail("console", `no view of ${endpoints[nth]}`);
  const onChange = () => streams.update();
  void watch({ client, broker, now, isOpen: () => streams.isOpen, onChange }, stop.signal);
}
const sampling = setInterval(() => {
  board.sample(now());
  streams.sample();
}, SAMPLE_MS);

onStopSignal(() => {
  stop.abort();
  clearInterval(sampling);
  streams.close();
  server.close();
  server.closeAllConnections();
  for (const client of clients) client.close();
  log({ event: "console.stopped" });
});
