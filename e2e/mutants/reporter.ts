// A reporter for `node --test`: the file and the name of each failed test as a line of JSON.

import type { TestEvent } from "node:test/reporters";

export default async function* failures(events: AsyncIterable<TestEvent>) {
  for await (const { type, data } of events) {
    if (type === "test:fail") yield `${JSON.stringify({ file: data.file, name: data.name })}\n`;
  }
}
