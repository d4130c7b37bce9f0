import assert from "node:assert/strict";
import { test } from "node:test";
import { IdentityClaim } from "./identity-claim.ts";

const LEASE_MS = 7500;
const SILENT = { answered: false, isSlow: false };
const SLOW = { answered: false, isSlow: true };

/** The time of the first verdict other than "wait", with one decision per 100 ms, and the verdict. */
function decided(holderAt: (now: number) => typeof SILENT, leaseMs = LEASE_MS, from = 0) {
  const claim = new IdentityClaim(leaseMs, from);
  for (let now = from + 100; now < 60_000; now += 100) {
    const verdict = claim.decide(holderAt(now), now);
    if (verdict !== "wait") return `${now}: ${verdict}`;
  }
  return "never";
}

test("silent holder: dead after 1 s", () => {
  assert.equal(
    decided(() => SILENT),
    "1000: the holder is dead",
  );
});

test("holder that answers: it lives, at once", () => {
  assert.equal(
    decided((now) => ({ ...SILENT, answered: now >= 900 })),
    "900: the holder lives",
  );
  assert.equal(
    decided((now) => ({ ...SLOW, answered: now >= 7400 })),
    "7400: the holder lives",
  );
});

test("slow holder: dead after a lease, and never before 1 s", () => {
  assert.equal(
    decided(() => SLOW),
    "7500: the holder is dead",
  );
  assert.equal(
    decided(() => SLOW, 300),
    "1000: the holder is dead",
  );
});

test("worker whose lease ends meanwhile: dead then, and after 1 s at least", () => {
  assert.equal(
    decided((now) => (now < 4000 ? SLOW : SILENT)),
    "4000: the holder is dead",
  );
  assert.equal(
    decided((now) => (now < 300 ? SLOW : SILENT)),
    "1000: the holder is dead",
  );
});

test("decision that comes late: the silence was our own, and the wait begins again", () => {
  const claim = new IdentityClaim(LEASE_MS, 0);
  assert.equal(claim.decide(SILENT, 400), "wait");
  assert.equal(claim.decide(SILENT, 61_000), "wait");
  assert.equal(claim.decide(SILENT, 61_400), "wait");
  assert.equal(claim.decide(SILENT, 61_800), "wait");
  assert.equal(claim.decide(SILENT, 62_000), "the holder is dead");
  const answered = new IdentityClaim(LEASE_MS, 0);
  assert.equal(answered.decide({ ...SILENT, answered: true }, 61_000), "the holder lives");
});
