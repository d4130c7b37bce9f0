// The charts of docs/PERFORMANCE.md and the timeline of a chaos run in a real browser: their texts are
// whole, and nothing covers them.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { fakeResult, STARTED_AT } from "../chaos/fake-result.ts";
import { timeline } from "../chaos/timeline.ts";
import { launch } from "./console-page.ts";

type Box = { text: string; left: number; top: number; right: number; bottom: number };

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const TRIANGLES = ["▲", "▼"];

/** The pairs of boxes that share more than a pixel. */
const overlaps = (boxes: Box[]) =>
  boxes.flatMap((one, nth) =>
    boxes
      .slice(nth + 1)
      .filter(
        (other) =>
          Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
          Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1,
      )
      .map((other) => `${one.text} and ${other.text}`),
  );

test("performance charts: each text is inside its chart, and no text covers another", async () => {
  const page = await browser.newPage();
  const files = globSync("docs/performance/*.svg");
  assert.ok(files.length > 10);
  for (const file of files) {
    await page.setContent(`<body style="margin:0">${readFileSync(file, "utf8")}`);
    const [chart, ...texts] = await page.evaluate<Box[]>(`
      [...document.querySelectorAll("svg, svg text")].map((element) => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        return { text: element.textContent, left, top, right, bottom };
      })`);
    if (chart === undefined) assert.fail(`${file} has no svg`);
    const cut = texts.filter(({ left, right }) => left < 0 || right > chart.right);
    assert.deepEqual([...cut, ...overlaps(texts)], [], file);
    const svg = readFileSync(file, "utf8");
    if (svg.includes('class="other"')) assert.match(svg, />ours: this project</, file);
  }
  await page.close();
});

/** Shows the timeline, and returns the boxes of the texts that its scripts draw on canvases. */
async function drawnTexts(page: Page, html: string): Promise<Box[]> {
  await page.evaluate(`
    window.drawn = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
      const { width } = this.measureText(text);
      const left = { left: x, center: x - width / 2, right: x - width }[this.textAlign];
      const high = 4 * devicePixelRatio; // Half the height of lower-case letters.
      if (this.canvas.closest("#lanes"))
        drawn.push({ text, left, top: y - high, right: left + width, bottom: y + high });
      return fillText.call(this, text, x, y);
    };`);
  await page.setContent(html);
  await page.waitForFunction("drawn.some(({ text }) => text === 'killed')");
  const boxes = await page.evaluate<Box[]>("drawn");
  return [...new Map(boxes.map((box) => [JSON.stringify(box), box])).values()]; // Charts draw again.
}

test("timeline: a fault at the right edge has its label; no triangle and no label covers a label", async () => {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  const fault = { kind: "killed", target: "echo-2" } as const;
  const at = (ms: number) => STARTED_AT + ms;
  const html = timeline(
    fakeResult({
      faults: [
        { ...fault, from: at(1000), to: at(4000) },
        { kind: "frozen", target: "db-1", from: at(30_000), to: at(30_200) },
        { kind: "losing packets", target: "db-1", from: at(31_000), to: at(33_000) },
        { kind: "cut off", target: "math-1", from: at(62_500), to: at(62_900) },
      ],
      removals: [{ ...fault, at: at(1040), ms: 40 }],
      workerRecoveries: [{ ...fault, at: at(2500), ms: 700 }],
    }),
  );
  const drawn = await drawnTexts(page, html);
  const kinds = ["killed", "frozen", "losing packets", "cut off"];
  const labels = drawn.filter(({ text }) => kinds.includes(text));
  assert.deepEqual(new Set(labels.map(({ text }) => text)), new Set(kinds));
  const marks = drawn.filter(({ text }) => TRIANGLES.includes(text));
  assert.equal(marks.length, 2);
  assert.deepEqual(overlaps([...labels, ...marks]), []);
  const width = await page.evaluate<number>("document.querySelector('#lanes canvas').width");
  for (const { text, right } of drawn) assert.ok(right <= width, `${text} ends at ${right}`);
  await page.getByText("shaded: the broker has a fault").waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});
