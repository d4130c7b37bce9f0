import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, fakeResult } from "./fake-result.ts";
import { report, sentence } from "./text-report.ts";

const REPORT = `
Seed 42, 60 s; 2 cores.
All workers were registered 62 s after the first request; every request had its outcome 1 s later.

  faults          workers  broker  all
──────────────────────────────────────
  killed                1       0    1
  terminated            0       0    0
  restarted             0       0    0
  frozen                0       0    0
  paused                0       1    1
  cut off               0       0    0
  black-holed           0       0    0
  losing packets        0       0    0
  total                 1       1    2

  requests  sent  answered  refused  lost  wrong  p50 ms  p99 ms  max ms
────────────────────────────────────────────────────────────────────────
  slow         1         1        0     0      0     300     300     300
  echo         1         1        0     0      0       2       2       2
  math         1         1        0     0      0       2       2       2
  db           1         1        0     0      0       2       2       2
  total        4         4        0     0      0       2     300     300

  times in ms                                count  median  max
───────────────────────────────────────────────────────────────
  killed worker removed                          1      40   40
  silent worker removed                          0       –    –
  worker registered again                        1     700  700
  all registered again after a broker fault      0       –    –

Redelivered by the broker: 2. Sent again by clients: 3.
Executed more than once: 1 of 0 requests to slow.
Counts of the broker since its last start: received 5 =
  answered 4 + refused 1 + expired 0 + quarantined 0 + cancelled 0 + client gone 0 + queued 0 + in flight 0

Passed: 4 requests, 2 faults: lost 0, duplicated 0, misrouted 0, wrong 0, unexpected 0, refused 0.

Replay: SEED=42 DURATION=60s make chaos
`.trim();

test("run that passed: all tables, and the sentence", () => {
  assert.equal(report(fakeResult()), REPORT);
});

test("run that failed: the first findings, and the command that replays it", () => {
  const ended = [answered(1), answered(2, { outcome: "lost" })];
  const examples = Array.from({ length: 30 }, (_, index) => `lost (echo): ${index}`);
  const result = fakeResult({ examples, unsupported: ["black-holed"], interrupted: true }, ended);
  const text = report(result);
  assert.match(text, /^Seed 42, 60 s, interrupted; 2 cores\.$/m);
  assert.match(text, /^Not injected, because this machine cannot: black-holed\.$/m);
  assert.match(
    text,
    /^Failed: 2 requests, 2 faults: lost 1, .*\n {2}1 lost\n {2}lost \(echo\): 0$/m,
  );
  assert.match(text, /^ {2}and 11 more\n\nReplay: SEED=42 DURATION=60s make chaos$/m);
});

test("sentence: passed or failed, and every error count", () => {
  const zeros = "lost 0, duplicated 0, misrouted 0, wrong 0, unexpected 0, refused 0";
  assert.equal(sentence(fakeResult()), `Passed: 4 requests, 2 faults: ${zeros}.`);
});
