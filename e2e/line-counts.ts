// The numbers of lines in the reading order of docs/ARCHITECTURE.md.

import { readFileSync } from "node:fs";

/** The page that has the reading order. */
export const PAGE = "docs/ARCHITECTURE.md";

/** A row of the reading order: the file, and the number of its lines. */
const ROW = /^(\| \[(\S+)\]\(\S+\) \| )(\d+)(?= \|)/gm;

/** The page with the true number of lines of each file. */
export const withLineCounts = (page: string) =>
  page.replace(ROW, (_, before: string, file: string) => `${before}${linesOf(file)}`);

/** The numbers in the rows of the page. */
export const lineCounts = (page: string) =>
  [...page.matchAll(ROW)].map(([, , , count]) => Number(count));

const linesOf = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n").length;
