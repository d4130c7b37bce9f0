// A reporter for `node --test` that says of each test that fails its name, as JSON on a line.

import type { TestEvent } from "node:test/reporters";

export default async function* failures(events: AsyncIterable<TestEvent>) {
  for await (const { type, data } of events) {
    if (type === "test:fail") yield `${JSON.stringify(data.name)}\n`;
  }
}
