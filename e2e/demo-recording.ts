// Runs the demo and writes its recording to docs/demo.svg. Writes nothing if the demo fails.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { recording, type TimedLine } from "./recording.ts";

const FILE = "docs/demo.svg";

const demo = spawn(process.execPath, ["--import", "tsx", "e2e/demo.ts"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const started = performance.now();
const lines: TimedLine[] = [];
createInterface({ input: demo.stdout }).on("line", (text) => {
  lines.push({ atMs: performance.now() - started, text });
  console.log(text);
});
const [code] = await once(demo, "close");
if (code === 0) writeFileSync(FILE, recording("make demo", lines));
console.log(code === 0 ? `\n${FILE} written` : `\nthe demo failed: ${FILE} is unchanged`);
process.exitCode = code === 0 ? 0 : 1;
