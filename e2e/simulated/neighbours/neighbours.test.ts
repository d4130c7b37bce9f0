// Each case for a fifth of its time and with one seed. `npm run simulate:neighbours` runs all of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CASES } from "./cases.ts";

for (const { name, measuredMs, run } of CASES)
  test(`${name}: others are served at the rate of the healthy workers, and none is quarantined`, () => {
    const { relative, innocents, poison, quarantined } = run(1, measuredMs / 5);
    assert.ok(relative > 0.9, `${relative} of the throughput of the healthy workers`);
    assert.deepEqual([innocents, quarantined], [0, poison]);
  });
