// Sends two requests with a client that must not keep the process running, and never closes it.

import { Client } from "../../clients/client.ts";

const client = new Client(process.env.MDP_BROKER ?? "", { silenceMs: 500 }).unref();
try {
  for (const text of ["first", "second"])
    log({ event: "reply", text: String(await client.request("echo", text)) });
} catch (error) {
  log({ event: "failed", code: (error as NodeJS.ErrnoException).code });
}

function log(line: object) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
