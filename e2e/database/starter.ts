// Starts a server, freezes it and waits, as a test that is killed may.

import { Postgres } from "./postgres.ts";

const server = await Postgres.start();
await server.freeze();
const { folder, pids } = server;
process.stdout.write(`${JSON.stringify({ event: "starter.froze", folder, pids })}\n`);
