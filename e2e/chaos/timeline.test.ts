import assert from "node:assert/strict";
import { test } from "node:test";
import { Script } from "node:vm";
import { answered, fakeResult } from "./fake-result.ts";
import { timeline } from "./timeline.ts";

const dataOf = (page: string) =>
  JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? "");

test("page data: every request, fault, removal and recovery", () => {
  const data = dataOf(timeline(fakeResult()));
  assert.equal(data.seconds, 63);
  assert.deepEqual(data.dots, {
    at: [0.01, 0.02, 0.03, 0.04],
    ms: [2, 300, 2, 2],
    service: [1, 0, 2, 3],
    outcome: [0, 0, 0, 0],
  });
  const lanes = data.faults.map(({ lane }: { lane: number }) => data.targets[lane]);
  assert.deepEqual(lanes, ["echo-2", "broker"]);
  assert.deepEqual(data.faults[0], { lane: 5, kind: "killed", from: 1, to: 4 });
  assert.deepEqual(data.marks, [
    { lane: 5, sign: "removal", at: 1.04, text: "echo-2 was removed 40 ms after the fault" },
    {
      lane: 5,
      sign: "recovery",
      at: 4.7,
      text: "echo-2 was registered again 700 ms after the fault's end",
    },
  ]);
});

test("page text: the counts, and the command that replays the run", () => {
  const page = timeline(fakeResult());
  assert.match(page, /<h1>Chaos, seed 42<\/h1>/);
  assert.match(page, /Passed: 4 requests, 2 faults: lost 0/);
  assert.match(page, /<dt>redelivered<\/dt><dd>2<\/dd>/);
  assert.match(page, /<code>SEED=42 DURATION=60s make chaos<\/code>/);
});

test("page: loads nothing", () => {
  const page = timeline(fakeResult());
  assert.doesNotMatch(page, /https?:|\bsrc\s*=|\bhref\s*=|@import|url\(|<link|<iframe|<img/i);
  assert.doesNotMatch(page, /\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(/);
  assert.match(
    page,
    /content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"/,
  );
});

test("markup in an error text: escaped", () => {
  const evil = `</script><script>alert("1")</script><img src=x>&'`;
  const page = timeline(fakeResult({ examples: [evil], machine: evil, errors: [evil] }));
  assert.ok(!page.includes("<script>alert"));
  assert.ok(!page.includes("<img"));
  assert.ok(page.includes("&#60;/script&#62;&#60;script&#62;alert(&#34;1&#34;)"));
  assert.equal(page.match(/<script/g)?.length, 3);
});

test("page scripts: parse", () => {
  const scripts = [...timeline(fakeResult()).matchAll(/<script>(.*?)<\/script>/gs)];
  assert.equal(scripts.length, 2);
  for (const [, script = ""] of scripts) assert.ok(new Script(script));
});

test("sampled page: names the share of quick requests that it draws", () => {
  const many = Array.from({ length: 90_000 }, (_, index) => answered(index));
  const page = timeline(fakeResult({}, many));
  assert.match(page, /shows one in 3 of the 90,000 requests answered within 250 ms/);
  assert.equal(dataOf(page).dots.at.length, 30_000);
});
