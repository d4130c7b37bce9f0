import assert from "node:assert/strict";
import { test } from "node:test";
import { Script } from "node:vm";
import { answered, fakeFacts } from "./fake-facts.ts";
import { timeline } from "./timeline.ts";

const dataOf = (page: string) =>
  JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? "");

test("its data are in it: every request, every fault, purges and recoveries", () => {
  const data = dataOf(timeline(fakeFacts()));
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
    { lane: 5, sign: "purge", at: 1.04, text: "echo-2 was removed 40 ms after the fault" },
    {
      lane: 5,
      sign: "recovery",
      at: 4.7,
      text: "echo-2 was registered again 700 ms after the fault's end",
    },
  ]);
});

test("the figures are in its head, and the command that replays it", () => {
  const page = timeline(fakeFacts());
  assert.match(page, /<h1>Chaos, seed 42<\/h1>/);
  assert.match(page, /Passed: 4 requests, 2 faults: lost 0/);
  assert.match(page, /<dt>redelivered<\/dt><dd>2<\/dd>/);
  assert.match(page, /<code>SEED=42 DURATION=60s make chaos<\/code>/);
});

test("nothing in it comes from elsewhere", () => {
  const page = timeline(fakeFacts());
  assert.doesNotMatch(page, /https?:|\bsrc\s*=|\bhref\s*=|@import|url\(|<link|<iframe|<img/i);
  assert.doesNotMatch(page, /\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(/);
  assert.match(
    page,
    /content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"/,
  );
});

test("what peers say is text, and ends no element", () => {
  const evil = `</script><script>alert("1")</script><img src=x>&'`;
  const page = timeline(fakeFacts({ examples: [evil], machine: evil, troubles: [evil] }));
  assert.ok(!page.includes("<script>alert"));
  assert.ok(!page.includes("<img"));
  assert.ok(page.includes("&#60;/script&#62;&#60;script&#62;alert(&#34;1&#34;)"));
  assert.equal(page.match(/<script/g)?.length, 3);
});

test("its scripts are scripts", () => {
  const scripts = [...timeline(fakeFacts()).matchAll(/<script>(.*?)<\/script>/gs)];
  assert.equal(scripts.length, 2);
  for (const [, script = ""] of scripts) assert.ok(new Script(script));
});

test("it says how many of the quick answers it leaves out", () => {
  const many = Array.from({ length: 90_000 }, (_, nth) => answered(nth));
  const page = timeline(fakeFacts({}, many));
  assert.match(page, /Of 90,000 answers within 250 ms one in 3 is drawn/);
  assert.equal(dataOf(page).dots.at.length, 30_000);
});
