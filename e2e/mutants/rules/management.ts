// The management services and the metrics.

import type { Mutant } from "../mutant.ts";

export const MANAGEMENT: Mutant[] = [
  {
    rule: "mmi.service says 404 while all workers are busy.",
    file: "broker/mmi.ts",
    find: "(services.get(name)?.workers ?? 0) > 0",
    replace: "(services.get(name)?.waiting.length ?? 0) > 0",
  },
  {
    rule: "mmi.service says 200 for any name that starts with mmi.",
    file: "broker/mmi.ts",
    find: "isCapability(name) || ",
    replace: "isManagement(name) || ",
  },
  {
    rule: "mmi.workers shows no address and port.",
    file: "broker/mmi.ts",
    find: "    remote,\n    service,\n",
    replace: "    remote: null,\n    service,\n",
  },
  {
    rule: "The broker forgets a worker's key name, address and port.",
    file: "broker/admission.ts",
    find: "newWorker(from, command, service, peer)",
    replace: "newWorker(from, command, service, UNKNOWN_PEER)",
  },
  {
    rule: "The removal of a worker is logged without its key name, address and port.",
    file: "broker/log-fields.ts",
    find: "  ...peer,\n",
    replace: "  who: null,\n  remote: peer.remote && null,\n",
  },
  {
    rule: "Logs and mmi.workers show no name of a worker.",
    file: "broker/log-fields.ts",
    find: "name: about?.name ?? null",
    replace: "name: about && null",
  },
  {
    rule: "The removal of a worker is logged with the ids of its settled requests.",
    file: "broker/log-fields.ts",
    find: "if (!request.settled) ids.push",
    replace: "ids.push",
  },
  {
    rule: "The removal of a worker is logged with the ids of any number of requests.",
    file: "broker/log-fields.ts",
    find: "    if (ids.length === LISTED_IDS_MAX) break;\n",
    replace: "    if (ids.length < 0) break;\n",
  },
  {
    rule: "mmi.workers counts an expired request as in flight.",
    file: "broker/gauges.ts",
    find: "inFlight: inFlight.size - abandoned",
    replace: "inFlight: inFlight.size",
  },
  {
    rule: "The log calls a call dropped that got a status.",
    file: "broker/rejections.ts",
    find: 'if (isSent) return { event: "requests.rejected", service, status, reason };\n',
    replace: "void isSent;\n  void status;\n",
  },
  {
    rule: "The log calls a call rejected whose client has disconnected.",
    file: "broker/replies.ts",
    find: "body !== null && request.client !== null",
    replace: "body !== null",
  },
  {
    rule: "mmi.events has the events of level debug.",
    file: "broker/effects.ts",
    find: "  trace(entry: TraceEvent) {\n",
    replace: "  trace(entry: TraceEvent) {\n    this.#logged.push(entry);\n",
  },
  {
    rule: "mmi.events repeats the event that the reader has.",
    file: "broker/recent-events.ts",
    find: "Math.max(sequence + 1, oldest, 1)",
    replace: "Math.max(sequence, oldest, 1)",
  },
  {
    rule: "mmi.events sends a reply of any size.",
    file: "broker/recent-events.ts",
    find: "bytes + kept.bytes + COMMA_BYTES > bytesMax",
    replace: "bytesMax < 0",
  },
  {
    rule: "mmi.events returns nothing after an event that is too large for a reply.",
    file: "broker/recent-events.ts",
    find: "if (events.length > 0) break;\n        continue;",
    replace: "break;",
  },
  {
    rule: "mmi.events forgets that the reply carries the envelope of the request.",
    file: "broker/mmi.ts",
    find: " - sizeOf(envelope)",
    replace: " - 0 * sizeOf(envelope)",
  },
  {
    rule: "The way of a request has its delivery before the last one's number.",
    file: "broker/requests.ts",
    find: "request.delivery.deliveries + 1",
    replace: "request.delivery.deliveries",
  },
  {
    rule: "The way of a request shows the call id.",
    file: "broker/request-trace.ts",
    find: "request: requestIdOf(request, this.#incarnation),",
    replace: "request: request.callId ?? requestIdOf(request, this.#incarnation),",
  },
  {
    rule: "A worker logs a handler past its time limit without the request id.",
    file: "workers/session.ts",
    find: "request: id, limitMs",
    replace: "request: id && null, limitMs",
  },
  {
    rule: "A worker logs a handler that threw without the request id.",
    file: "workers/job.ts",
    find: 'log({ event: "request.failed", request, err: error });',
    replace: 'log({ event: "request.failed", request: request && null, err: error });',
  },
  {
    rule: "The health port answers any method as GET.",
    file: "runtime/health.ts",
    find: 'if (method !== "GET" && method !== "HEAD")',
    replace: "if (method === undefined)",
  },
  {
    rule: "The health port compares the path with its query.",
    file: "runtime/health.ts",
    find: 'const [path] = url.split("?", 1);',
    replace: "const path = url;",
  },
];
