import assert from "node:assert/strict";
import { test } from "node:test";
import { progressText } from "./progress-text.ts";

const progress = { phase: "", seconds: 35, faults: 14, answered: 4000, redelivered: 12, lost: 0 };

test("during the faults: the time and the counts so far", () => {
  assert.equal(
    progressText(progress, 60),
    "35 s of 60 s  faults 14  answered 4,000  redelivered 12  lost 0",
  );
});

test("after the faults: the phase instead of the time", () => {
  assert.match(progressText({ ...progress, phase: "draining" }, 60), /^draining {2}faults 14 /);
});

test("after hours: still fits beside the bar on a terminal of 100 columns", () => {
  const late = {
    phase: "",
    seconds: 7100,
    faults: 3141,
    answered: 862_000,
    redelivered: 2345,
    lost: 0,
  };
  assert.ok(progressText(late, 7200).length <= 88);
});
