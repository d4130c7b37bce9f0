// A worker and a client in one process, which ends by itself when both are closed.

import { Client } from "../../clients/client.ts";
import { Worker } from "../../workers/worker.ts";

const broker = process.env.MDP_BROKER ?? "";
const client = new Client(broker);
await using worker = new Worker({ broker });
worker.serve("upper", ([text]) => String(text).toUpperCase());
const text = String(await client.request("upper", "hello"));
process.stdout.write(`${JSON.stringify({ event: "reply", text })}\n`);
client.close();
