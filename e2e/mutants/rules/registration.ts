// Registration, and the commands that end a conversation.

import type { Mutant } from "../mutant.ts";

export const REGISTRATION: Mutant[] = [
  {
    rule: "A second READY registers the worker once more.",
    file: "broker/broker.ts",
    find: "    if (worker) this.#afterReady(worker, command, now);\n    else",
    replace:
      '    if (worker && command.name !== "READY") this.#afterReady(worker, command, now);\n    else',
  },
  {
    rule: "The broker ignores a valid but unexpected command.",
    file: "broker/broker.ts",
    find: "this.#delivery.rejectWorker(from, command, `unexpected",
    replace: "void (from, command, `unexpected",
  },
  {
    rule: "A worker may change its dialect after READY.",
    file: "broker/broker.ts",
    find: "if (command.dialect !== worker.dialect) {",
    replace: "if (command.dialect === null) {",
  },
  {
    rule: "A worker receives a request in the dialect of the client.",
    file: "broker/delivery.ts",
    find: "    const { workers, requests, limits } = this.#state;\n    const { dialect } = worker;",
    replace:
      "    const { workers, requests, limits } = this.#state;\n    const { dialect } = request;",
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
    find: "        return; // 7/MDP, Opening and Closing a Connection: DISCONNECT has no response.",
    replace: "        return this.#delivery.sendDisconnect(from, command.dialect);",
  },
  {
    rule: "DISCONNECT removes no worker.",
    file: "broker/broker.ts",
    find: 'if (command.name === "DISCONNECT") return this.#delivery.removeWorkers([worker], "left", now);',
    replace: 'if (command.name === "DISCONNECT") return;',
  },
  {
    rule: "A worker may register for a name that starts with mmi.",
    file: "broker/admission.ts",
    find: 'if (isManagement(nameOf(frame))) return reject("READY for an mmi.* service");',
    replace: "",
  },
  {
    rule: "A worker that sends an unexpected command stays registered.",
    file: "broker/delivery.ts",
    find: 'if (worker) this.removeWorkers([worker], "rejected", now);',
    replace: "",
  },
  {
    rule: "A worker that sends an invalid message stays registered.",
    file: "broker/broker.ts",
    find: '    this.#delivery.removeWorkers([worker], "rejected", now);\n',
    replace: "",
  },
  {
    rule: "Names and ids that are not UTF-8 collide.",
    file: "broker/names.ts",
    find: 'export const nameOf = (frame: Frame) => frame.toString("latin1");',
    replace: 'export const nameOf = (frame: Frame) => frame.toString("utf8");',
  },
];
