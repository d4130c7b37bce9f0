import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "./access.ts";

const OWN = { host: "127.0.0.1:8080" };

test("host of this machine, with any port: accepted; any other name (DNS rebinding): refused", () => {
  for (const host of ["127.0.0.1:8080", "localhost:1", "[::1]:8080", "localhost"])
    assert.equal(refusalOf(false, { host }), null, host);
  const foreign = [
    "evil.example",
    "127.0.0.1.evil.example:8080",
    "localhost.evil:80",
    "console:8080",
  ];
  for (const host of [...foreign, "10.0.0.7:8080", "", "127.0.0.1:8080/x", "a@localhost"])
    assert.match(refusalOf(false, { host }) ?? "", /open the console as/, host);
  assert.match(refusalOf(false, {}) ?? "", /open the console as/);
});

test("origin of another page, or of another port: refused", () => {
  assert.equal(refusalOf(true, { ...OWN, origin: "http://127.0.0.1:8080" }), null);
  for (const origin of [
    "http://evil.example",
    "null",
    "http://127.0.0.1:9090",
    "https://127.0.0.1:8080",
  ])
    assert.match(refusalOf(true, { ...OWN, origin }) ?? "", /another page/, origin);
});

test("Sec-Fetch-Site: only own requests, and for reading an address that the user typed", () => {
  assert.equal(refusalOf(true, { ...OWN, "sec-fetch-site": "same-origin" }), null);
  assert.equal(refusalOf(false, { ...OWN, "sec-fetch-site": "none" }), null);
  for (const site of ["cross-site", "same-site", ["same-origin", "cross-site"]])
    assert.match(refusalOf(false, { ...OWN, "sec-fetch-site": site }) ?? "", /another site/);
  assert.match(refusalOf(true, { ...OWN, "sec-fetch-site": "none" }) ?? "", /another site/);
});
