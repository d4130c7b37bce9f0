// What the broker tells about itself.

import type { Mutant } from "../mutant.ts";

const file = "broker/mmi.ts";

export const MANAGEMENT: Mutant[] = [
  {
    rule: "mmi.service says 404 while all workers are busy.",
    file,
    find: "(services.get(name)?.workers ?? 0) > 0",
    replace: "(services.get(name)?.waiting.length ?? 0) > 0",
  },
  {
    rule: "mmi.service says 200 of a service that is only wanted.",
    file,
    find: "(services.get(name)?.workers ?? 0) > 0",
    replace: "services.get(name) !== undefined",
  },
  {
    rule: "mmi.service says 404 of what the broker itself provides.",
    file,
    find: "OWN.has(name) || ",
    replace: "",
  },
  {
    rule: "mmi.service says 200 of any name that starts with mmi.",
    file,
    find: "OWN.has(name) || ",
    replace: "isManagement(name) || ",
  },
  {
    rule: "mmi.service does not say 200 of mmi.call.",
    file,
    find: ', "mmi.call"]);',
    replace: "]);",
  },
  {
    rule: "An unknown name of the broker's is a 404, not a 501.",
    file,
    find: "return [code(501)];",
    replace: "return [code(404)];",
  },
  {
    rule: "Requests to unknown names of the broker's are queued.",
    file,
    find: 'service.startsWith("mmi.")',
    replace:
      '["mmi.service", "mmi.services", "mmi.workers", "mmi.stats", "mmi.call"].includes(service)',
  },
  {
    rule: "A name with mmi. anywhere in it is the broker's.",
    file,
    find: 'service.startsWith("mmi.")',
    replace: 'service.includes("mmi.")',
  },
  {
    rule: "A name that starts with mmi and no dot is the broker's.",
    file,
    find: 'service.startsWith("mmi.")',
    replace: 'service.startsWith("mmi")',
  },
  {
    rule: "The reply to a management request loses the client's envelope.",
    file: "broker/broker.ts",
    find: 'this.#out.send(from, encode({ ...command, name: "REPLY", body }));',
    replace:
      "const envelope = command.dialect.delimiter;\n" +
      '    this.#out.send(from, encode({ ...command, name: "REPLY", envelope, body }));',
  },
  {
    rule: "mmi.services counts busy workers as waiting.",
    file,
    find: "waiting: service.waiting.length,",
    replace: "waiting: service.workers,",
  },
  {
    rule: "mmi.services counts what is queued as in flight.",
    file,
    find: "inFlight: service.open - service.queue.length,",
    replace: "inFlight: service.open,",
  },
  {
    rule: "mmi.services does not count what is queued.",
    file: "broker/queue.ts",
    find: "request.turn.push(request);\n    this.#length += 1;",
    replace: "request.turn.push(request);",
  },
  {
    rule: "mmi.workers says that a plain worker announced a credit.",
    file,
    find: "credit: worker.plain ? null : worker.credit,",
    replace: "credit: worker.credit,",
  },
  {
    rule: "mmi.workers does not say what a worker has in hand.",
    file,
    find: "requests: worker.holds.size,",
    replace: "requests: 0,",
  },
  {
    rule: "mmi.workers says of every worker that it speaks 0.1.",
    file,
    find: "dialect: worker.dialect.name,",
    replace: 'dialect: "0.1",',
  },
  {
    rule: "mmi.stats has no dead letters.",
    file,
    find: "json({ ...overview.counts(), deadLetters: [...overview.deadLetters] })",
    replace: "json(overview.counts())",
  },
  {
    rule: "An answer may have any number of entries.",
    file,
    find: "    if (told.length === LISTED_MAX) break;\n",
    replace: "",
  },
];
