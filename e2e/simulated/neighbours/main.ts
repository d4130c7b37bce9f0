// Runs the cases of cases.ts, each with many seeds, and prints a table.
//
//   npm run simulate:neighbours            20 seeds; writes the table of docs/RELIABILITY.md
//   SEEDS=3 npm run simulate:neighbours    3 seeds; writes nothing

import { count } from "../../../clients/load/format.ts";
import { readSettings, whole } from "../../../runtime/settings.ts";
import { markdown, writeSection } from "../../document.ts";
import { CASES, type Case } from "./cases.ts";

const SEEDS_WRITTEN = 20;

const { SEEDS } = readSettings("simulate:neighbours", {
  SEEDS: whole("a number of seeds", 1, 10_000, SEEDS_WRITTEN),
});

const HEAD = [
  "Case",
  "Simulated time per seed",
  "Throughput",
  "Others quarantined",
  "Others expired",
  "Poison quarantined",
];
const table = markdown(HEAD, CASES.map(rowOf));
process.stdout.write(`${table}\n`);
if (SEEDS === SEEDS_WRITTEN) writeSection("docs/RELIABILITY.md", "neighbours", table);

function rowOf({ name, measuredMs, run }: Case): string[] {
  const all = Array.from({ length: SEEDS }, (_, nth) => run(nth + 1, measuredMs));
  const sum = (key: "innocents" | "expired" | "poison" | "quarantined") =>
    all.reduce((total, figures) => total + figures[key], 0);
  const relative = all.map((figures) => figures.relative);
  const percent = (value: number) => `${Math.round(100 * value)}`;
  const poison = sum("poison");
  return [
    name,
    `${measuredMs / 60_000} min`,
    `${percent(Math.min(...relative))} to ${percent(Math.max(...relative))} %`,
    count(sum("innocents")),
    count(sum("expired")),
    poison === 0 ? "–" : `${sum("quarantined")} of ${poison}`,
  ];
}
