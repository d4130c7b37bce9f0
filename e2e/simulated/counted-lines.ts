// The log lines of one broker that have a count: at most one per 10 s of each kind, and at the end
// all events are in some line.

import { COUNTED_LINE_MS } from "../../broker/event-counter.ts";
import type { BrokerEvent, CountedEvent } from "../../broker/events.ts";
import type { Counts } from "../../broker/vocabulary.ts";
import { Violation } from "./violation.ts";

export class CountedLines {
  #loggedAt = new Map<string, number>();
  #sums = new Map<BrokerEvent["event"], number>();

  /** Call with each log entry of the broker; throws a Violation. */
  logged(entry: BrokerEvent, isLast: boolean, now: number) {
    if (!("count" in entry)) return;
    const { count, detail: _, ...kind } = entry as typeof entry & { detail?: string };
    this.#sums.set(entry.event, this.#sumOf(entry.event) + count);
    const key = JSON.stringify(kind);
    const ms = now - (this.#loggedAt.get(key) ?? -Infinity);
    if (ms < COUNTED_LINE_MS && !isLast)
      throw new Violation("S6", `the broker logged ${key} again after ${ms} ms`);
    this.#loggedAt.set(key, now);
  }

  /** Call when the broker has drained. */
  checkSums({ messagesDropped, repliesDropped, received, answered, cancelled }: Counts) {
    const unanswered = this.#sumOf("requests.rejected") + this.#sumOf("requests.dropped");
    const sums = [this.#sumOf("messages.dropped"), this.#sumOf("replies.dropped"), unanswered];
    const counts = [messagesDropped, repliesDropped, received - answered - cancelled];
    if (sums.join() !== counts.join())
      throw new Violation("conservation", `the log has ${sums}, and the counts have ${counts}`);
  }

  #sumOf(event: CountedEvent["event"]): number {
    return this.#sums.get(event) ?? 0;
  }
}
