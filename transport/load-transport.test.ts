import assert from "node:assert/strict";
import { test } from "node:test";
import { loadTransport } from "./load-transport.ts";
import type { TransportName } from "./transport.ts";

test("name of no transport: RangeError with the names", async () => {
  await assert.rejects(loadTransport("zmpt" as TransportName), {
    name: "RangeError",
    message: '"zmpt" is not a transport: it is zmtp or libzmq',
  });
});
