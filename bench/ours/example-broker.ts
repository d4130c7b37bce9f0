// A Majordomo broker written as the readme of zeromq.js suggests: `for await`, `await send`, arrays
// for queues. One request at a time per worker, no heartbeats.

import { Router } from "zeromq";
import { fail } from "../../runtime/fail.ts";

type Message = Buffer[];
type Service = { requests: { client: Buffer[]; body: Message }[]; waiting: Buffer[] };

const socket = new Router();
const services = new Map<string, Service>();
const serviceOfWorker = new Map<string, string>();
const [endpoint] = process.argv.slice(2);
if (endpoint === undefined)
  fail("example-broker", "an endpoint such as tcp://127.0.0.1:5555 is missing");
await socket.bind(endpoint);

for await (const [sender, ...frames] of socket as AsyncIterable<[Buffer, ...Buffer[]]>) {
  const header = frames.findIndex((frame) => frame.length === 0) + 1;
  const envelope = [sender, ...frames.slice(0, header - 1)];
  const message = frames.slice(header + 1);
  if (frames[header]?.toString() === "MDPC01") await clientMessage(envelope, message);
  else if (frames[header]?.toString() === "MDPW01") await workerMessage(sender, message);
}

async function clientMessage(client: Buffer[], [name, ...body]: Message) {
  const service = serviceNamed(String(name));
  service.requests.push({ client, body });
  await dispatch(service);
}

async function workerMessage(worker: Buffer, [command, ...rest]: Message) {
  const key = worker.toString("hex");
  if (command?.[0] === 1) {
    serviceOfWorker.set(key, String(rest[0]));
  } else if (command?.[0] === 3) {
    const end = rest.findIndex((frame) => frame.length === 0);
    const client = Buffer.from(String(rest[0]), "hex");
    const [id, body] = [rest.slice(1, end), rest.slice(end + 1)];
    const name = Buffer.from(serviceOfWorker.get(key) as string);
    await socket.send([client, ...id, "", "MDPC01", name, ...body]);
  } else {
    return;
  }
  const service = serviceNamed(serviceOfWorker.get(key) as string);
  service.waiting.push(worker);
  await dispatch(service);
}

function serviceNamed(name: string): Service {
  const service = services.get(name) ?? { requests: [], waiting: [] };
  services.set(name, service);
  return service;
}

async function dispatch({ requests, waiting }: Service) {
  while (requests.length > 0 && waiting.length > 0) {
    const worker = waiting.shift() as Buffer;
    const { client, body } = requests.shift() as Service["requests"][0];
    const [address, ...id] = client as [Buffer, ...Buffer[]];
    await socket.send([
      worker,
      "",
      "MDPW01",
      Buffer.of(2),
      address.toString("hex"),
      ...id,
      "",
      ...body,
    ]);
  }
}
