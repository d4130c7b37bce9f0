import assert from "node:assert/strict";
import { test } from "node:test";
import { logger } from "./log.ts";

type Event = { event: "kettle.boils" } | { event: "cups.filled"; count: number };

test("event that the program does not declare, or with other fields: the compiler rejects it", () => {
  const told: Event[] = [];
  const log = logger(
    "kettle",
    { LOG_LEVEL: "silent", LOG_FORMAT: "json" },
    {
      levelOf: () => "info",
      sentenceOf(event: Event) {
        told.push(event);
        return event.event;
      },
    },
  );
  log({ event: "kettle.boils" });
  log({ event: "cups.filled", count: 2 });
  // @ts-expect-error There is no such event.
  log({ event: "kettle.boil" });
  // @ts-expect-error A field is missing.
  log({ event: "cups.filled" });
  // @ts-expect-error A field is of another type.
  log({ event: "cups.filled", count: "two" });
  // @ts-expect-error A field is another event's.
  log({ event: "kettle.boils", count: 2 });
  // @ts-expect-error A sentence is not an event.
  log("the kettle boils");
  assert.equal(told.length, 7);
});
