// npm run conformance:page: writes the tables of docs/CONFORMANCE.md.

import { readFileSync, writeFileSync } from "node:fs";
import { PAGE, withTables } from "./conformance-page.ts";

writeFileSync(PAGE, withTables(readFileSync(PAGE, "utf8")));
