// Every kind of client and of worker that docs/CONFORMANCE.md has in its matrix, by its name there.

import type { Program } from "../processes/program.ts";
import type { Peers } from "./peers.ts";

type Start = (peers: Peers, service: string) => Program;

export type WorkerKind = {
  name: string;
  service: string; // Which it serves in the matrix.
  start: Start;
  readsOneFrame?: true; // Of a request's body.
};

const BEATS = ["2500", "3"];

export const WORKERS: WorkerKind[] = [
  { name: "ours", service: "echo", start: (peers) => peers.ours("workers/echo.ts") },
  {
    name: "Python 0.1",
    service: "python",
    start: (peers, service) => peers.python("worker", service),
  },
  {
    name: "Python in words",
    service: "python-words",
    start: (peers, service) => peers.python("worker", service, "--dialect", "words"),
  },
  {
    name: "Python 0.2",
    service: "python-0.2",
    start: (peers, service) => peers.python("worker", service, "--dialect", "0.2"),
  },
  {
    name: "Python in words, silent while busy",
    service: "python-busy",
    start: (peers, service) => peers.python("busy_worker", service),
    readsOneFrame: true,
  },
  {
    name: "C 0.1",
    service: "c",
    start: (peers, service) => peers.c("worker", service, "bytes", ...BEATS),
  },
  {
    name: "C in words",
    service: "c-words",
    start: (peers, service) => peers.c("worker", service, "words", ...BEATS),
  },
];

export type ClientKind = {
  name: string;
  /** Asks each of the requests; null: it is our Client, which is no program. */
  ask: ((peers: Peers, service: string, requests: string[]) => Program) | null;
};

const python =
  (...options: string[]): ClientKind["ask"] =>
  (peers, service, requests) =>
    peers.python("client", service, ...requests, ...options);

const c =
  (socket: string): ClientKind["ask"] =>
  (peers, service, requests) =>
    peers.c("client", service, socket, ...requests);

export const CLIENTS: ClientKind[] = [
  { name: "ours", ask: null },
  { name: "Python REQ 0.1", ask: python("--req") },
  { name: "Python DEALER 0.1, with an envelope", ask: python("--envelope") },
  { name: "Python DEALER 0.2", ask: python("--v2") },
  { name: "C REQ 0.1", ask: c("req") },
  { name: "C DEALER 0.1", ask: c("dealer") },
];
