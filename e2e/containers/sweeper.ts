// Waits for the end of the process that started it, and removes what that one has left. Its standard
// input ends with that process, even one that is killed.

import { once } from "node:events";
import { sweep } from "./engine.ts";

process.stdin.resume();
await once(process.stdin, "end");
await sweep(String(process.argv[2]));
