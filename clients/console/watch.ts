// Reads the management services of one broker again and again, through a client, and writes the replies
// to the board.

import { setTimeout as pause } from "node:timers/promises";
import { decodeEvents } from "../../protocol/management.ts";
import type { Client } from "../client.ts";
import type { BrokerView } from "./broker-view.ts";
import type { EventsReading, FiguresReading } from "./readings.ts";
import { parseServices, parseStats, parseWorkers } from "./readings.ts";

/** The interval between two readings of the events while a page is open, in ms. */
const EVENTS_MS = 200;
/** The interval between two readings of the figures, and of all without a page, in ms. */
const FIGURES_MS = 1000;
/** How long a broker may take for a reply, in ms. */
const TIMEOUT_MS = 2000;

export type Watched = {
  client: Client;
  broker: BrokerView;
  now: () => number;
  /** Whether a page is open. Without one the console reads less, and less often. */
  isOpen: () => boolean;
  onChange: () => void;
};

/** Reads until `stop` aborts. */
export async function watch({ client, broker, now, isOpen, onChange }: Watched, stop: AbortSignal) {
  let figuresAt = -Infinity;
  while (!stop.aborted) {
    const startedAt = now();
    try {
      const events = await readEvents(client, broker.lastSequence);
      const restarted = broker.incarnation !== "" && events.incarnation !== broker.incarnation;
      // The numbers of a new incarnation begin again.
      const all = restarted ? await readEvents(client, 0) : events;
      const workersChanged = broker.readEvents(all, now());
      if (workersChanged || startedAt - figuresAt >= FIGURES_MS || broker.figures === null) {
        if (workersChanged) onChange(); // The row of a removed worker turns at once.
        broker.readFigures(await readFigures(client, isOpen()), now());
        figuresAt = startedAt;
        onChange();
      }
    } catch (error) {
      broker.failed((error as Error).message, now());
      onChange();
    }
    const wait = (isOpen() ? EVENTS_MS : FIGURES_MS) - (now() - startedAt);
    await pause(Math.max(wait, EVENTS_MS / 4), undefined, { signal: stop }).catch(() => {});
  }
}

async function readEvents(client: Client, after: number): Promise<EventsReading> {
  const reply = await client.request("mmi.events", String(after), { timeoutMs: TIMEOUT_MS });
  const decoded = decodeEvents(reply);
  if (decoded) return { ...decoded, incarnation: decoded.incarnation.toString("hex") };
  return { incarnation: "", events: [] }; // A broker without mmi.events.
}

async function readFigures(client: Client, withWorkers: boolean): Promise<FiguresReading> {
  const [services, workers, stats] = await Promise.all([
    readJson(client, "mmi.services"),
    withWorkers ? readJson(client, "mmi.workers") : null,
    readJson(client, "mmi.stats"),
  ]);
  return {
    services: parseServices(services),
    workers: workers === null ? null : parseWorkers(workers),
    stats: parseStats(stats),
  };
}

async function readJson(client: Client, service: string): Promise<string> {
  const [status, json] = await client.request(service, "", { timeoutMs: TIMEOUT_MS });
  if (String(status) !== "200" || !json) throw new Error(`the broker has no ${service}`);
  return String(json);
}
