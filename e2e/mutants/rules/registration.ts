// Registration, and the commands that end a conversation.

import type { Mutant } from "../mutant.ts";

export const REGISTRATION: Mutant[] = [
  {
    rule: "A second READY registers the worker once more.",
    file: "broker/broker.ts",
    find: '} else if (command.name === "READY" && !worker) {',
    replace: '} else if (command.name === "READY") {',
  },
  {
    rule: "The broker ignores a valid but unexpected command.",
    file: "broker/broker.ts",
    find: "The peer opens a new one.\n      this.#reject(",
    replace: "\n      void (",
  },
  {
    rule: "A worker may change its dialect after READY.",
    file: "broker/broker.ts",
    find: "worker && command.dialect !== worker.dialect",
    replace: "command.dialect === null",
  },
  {
    rule: "A worker receives a request in the dialect of the client.",
    file: "broker/broker.ts",
    find: "now: number) {\n    const { dialect } = worker;\n    // A plain",
    replace: "now: number) {\n    const { dialect } = request;\n    // A plain",
  },
  {
    rule: "A client receives a reply in the dialect of the worker.",
    file: "broker/replies.ts",
    find: "const { client, dialect, envelope } = request;",
    replace:
      "const { client, envelope, progress } = request;\n    const { dialect } = progress.worker ?? request;",
  },
  {
    rule: "The broker answers DISCONNECT with DISCONNECT.",
    file: "broker/broker.ts",
    find: 'if (worker) this.#lose([worker], "left", now);',
    replace:
      'if (worker) this.#lose([worker], "left", now);\n      this.#disconnect(from, command.dialect);',
  },
  {
    rule: "DISCONNECT removes no worker.",
    file: "broker/broker.ts",
    find: 'if (worker) this.#lose([worker], "left", now);',
    replace: "",
  },
  {
    rule: "A worker may register for a name that starts with mmi.",
    file: "broker/broker.ts",
    find: "if (isManagement(name)) this.#reject(",
    replace: "if (false) this.#reject(",
  },
  {
    rule: "A worker that sends an unexpected command stays registered.",
    file: "broker/broker.ts",
    find: 'if (worker) this.#lose([worker], "rejected", now);',
    replace: "",
  },
  {
    rule: "A worker that sends an invalid message stays registered.",
    file: "broker/broker.ts",
    find: 'if (!worker) return;\n    this.#lose([worker], "rejected", now);',
    replace: "if (!worker) return;",
  },
  {
    rule: "Names and ids that are not UTF-8 collide.",
    file: "broker/model.ts",
    find: 'export const nameOf = (frame: Frame) => frame.toString("latin1");',
    replace: 'export const nameOf = (frame: Frame) => frame.toString("utf8");',
  },
];
