// npm run architecture:page: writes the numbers of lines into docs/ARCHITECTURE.md.

import { readFileSync, writeFileSync } from "node:fs";
import { PAGE, withLineCounts } from "./line-counts.ts";

writeFileSync(PAGE, withLineCounts(readFileSync(PAGE, "utf8")));
