// Removes the containers, networks and volumes of a test process after that process has ended. Its
// standard input ends with the test process, even when that is killed.

import { once } from "node:events";
import { sweep } from "./engine.ts";

process.stdin.resume();
await once(process.stdin, "end");
await sweep(String(process.argv[2]));
