import assert from "node:assert/strict";
import { test } from "node:test";
import { momentText } from "./progress.ts";

const moment = { phase: "", seconds: 35, faults: 14, answered: 4000, redelivered: 12, lost: 0 };

test("the time, and what became of the requests so far", () => {
  assert.equal(
    momentText(moment, 60),
    "35 s of 60 s  faults 14  answered 4,000  redelivered 12  lost 0",
  );
});

test("after the storm, what is going on instead", () => {
  assert.match(momentText({ ...moment, phase: "draining" }, 60), /^draining {2}faults 14 /);
});

test("it fits beside the bar on a terminal of 100 columns, also after hours", () => {
  const late = {
    phase: "",
    seconds: 7100,
    faults: 3141,
    answered: 862_000,
    redelivered: 2345,
    lost: 0,
  };
  assert.ok(momentText(late, 7200).length <= 88);
});
