// Who is a worker, and what ends its conversation.

import type { Mutant } from "../mutant.ts";

const file = "broker/broker.ts";

export const REGISTRATION: Mutant[] = [
  {
    rule: "A second READY registers a worker once more.",
    file,
    find: '} else if (command.name === "READY" && !worker) {',
    replace: '} else if (command.name === "READY") {',
  },
  {
    rule: "A valid but unexpected command is ignored.",
    file,
    find: "The peer opens a new one.\n      this.#reject(",
    replace: "\n      void (",
  },
  {
    rule: "A worker may speak another dialect than its READY.",
    file,
    find: "worker && command.dialect !== worker.dialect",
    replace: "command.dialect === null",
  },
  {
    rule: "A worker that changes its dialect is sent DISCONNECT in the new one.",
    file,
    find: "worker?.dialect ?? dialect",
    replace: "dialect",
  },
  {
    rule: "A worker is given a request in the dialect of its client.",
    file,
    find: "now: number) {\n    const { dialect } = worker;\n    // A plain",
    replace: "now: number) {\n    const { dialect } = request;\n    // A plain",
  },
  {
    rule: "A client is answered in the dialect of its worker.",
    file: "broker/replies.ts",
    find: "const { client, dialect, envelope } = request;",
    replace:
      "const { client, envelope, progress } = request;\n    const { dialect } = progress.worker ?? request;",
  },
  {
    rule: "All workers are sent HEARTBEAT in the dialect of the first.",
    file,
    find: "const { dialect } = worker;\n      this.#tell(",
    replace: "const [{ dialect } = worker] = this.#workers;\n      this.#tell(",
  },
  {
    rule: "PARTIAL and FINAL of a client are taken for a REQUEST.",
    file,
    find: 'if (command.name !== "REQUEST") return',
    replace: "if (command.name === null) return",
  },
  {
    rule: "An unknown worker's HEARTBEAT is ignored.",
    file,
    find:
      '} else if (command.name === "HEARTBEAT" && worker) {\n' +
      "      this.#workers.heard(worker, now);",
    replace:
      '} else if (command.name === "HEARTBEAT") {\n      if (worker) this.#workers.heard(worker, now);',
  },
  {
    rule: "DISCONNECT is answered with DISCONNECT.",
    file,
    find: 'if (worker) this.#lose([worker], "left", now);',
    replace:
      'if (worker) this.#lose([worker], "left", now);\n      this.#disconnect(from, command.dialect);',
  },
  {
    rule: "DISCONNECT removes no worker.",
    file,
    find: 'if (worker) this.#lose([worker], "left", now);',
    replace: "",
  },
  {
    rule: "A worker may register for a name that starts with mmi.",
    file,
    find: "if (isManagement(name)) this.#reject(",
    replace: "if (false) this.#reject(",
  },
  {
    rule: "A worker that breaks the protocol stays registered.",
    file,
    find: 'if (worker) this.#lose([worker], "rejected", now);',
    replace: "",
  },
  {
    rule: "A worker that sends what is not MDP stays registered.",
    file,
    find: 'if (!worker) return;\n    this.#lose([worker], "rejected", now);',
    replace: "if (!worker) return;",
  },
  {
    rule: "A worker that sends what is not MDP is removed and not told.",
    file,
    find: "this.#disconnect(from, worker.dialect);",
    replace: "",
  },
  {
    rule: "A client that sends what is not MDP is answered with DISCONNECT.",
    file,
    find: "if (!worker) return;\n    this.#lose([worker],",
    replace:
      'if (!worker) return this.#out.send(from, ["", "MDPW01", "\\x05"].map((frame) => ' +
      "Buffer.from(frame)));\n    this.#lose([worker],",
  },
  {
    rule: "What is not MDP is not counted.",
    file,
    find: "this.#totals.messagesDropped += 1;",
    replace: "",
  },
  {
    rule: "A worker that registers is not logged.",
    file,
    find: 'this.#out.log({\n      event: "worker.registered",',
    replace: 'void ({\n      event: "worker.registered",',
  },
  {
    rule: "A DISCONNECT is not logged.",
    file,
    find: 'this.#out.tally.add({ event: "peers.disconnected", why });',
    replace: "",
  },
  {
    rule: "Service names do not tell upper from lower case.",
    file: "broker/model.ts",
    find: 'export const nameOf = (frame: Frame) => frame.toString("latin1");',
    replace: 'export const nameOf = (frame: Frame) => frame.toString("latin1").toLowerCase();',
  },
  {
    rule: "Names and ids that are not UTF-8 are taken for one another.",
    file: "broker/model.ts",
    find: 'export const nameOf = (frame: Frame) => frame.toString("latin1");',
    replace: 'export const nameOf = (frame: Frame) => frame.toString("utf8");',
  },
];
