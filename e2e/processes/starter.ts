// Starts a broker, freezes it and waits, as the demo and the tests may when they are interrupted.

import { freeEndpoint, Program } from "./program.ts";

const frozen = new Program("broker/main.ts", [], { MDP_BIND: await freeEndpoint() });
await frozen.logged("broker.listening");
frozen.signal("SIGSTOP");
process.stdout.write(`${JSON.stringify({ event: "starter.froze", pid: frozen.pid })}\n`);
await frozen.ended;
