// The name of this process as a worker, in READY and in each line of its log.

import { hostname } from "node:os";

const HOST_CHARACTERS_MAX = 200; // So that the name fits in READY. Names of hosts are ASCII.

/** Host and process id. */
export const workerName = `${hostname().slice(0, HOST_CHARACTERS_MAX)}:${process.pid}`;
