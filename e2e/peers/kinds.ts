// The clients and workers of the matrix in docs/CONFORMANCE.md, with their names there.

import type { Program } from "../processes/program.ts";
import type { Peers } from "./peers.ts";

type Start = (peers: Peers, service: string) => Program;

export type WorkerKind = {
  name: string;
  service: string; // The service that it serves in the matrix.
  start: Start;
  readsOneFrame?: true; // It ignores all frames of a body but the first.
};

const HEARTBEAT = ["2500", "3"];

export const WORKERS: WorkerKind[] = [
  { name: "ours", service: "echo", start: (peers) => peers.ours("workers/echo.ts") },
  {
    name: "Python 0.1",
    service: "python",
    start: (peers, service) => peers.python("worker", service),
  },
  {
    name: "Python 0.1 text",
    service: "python-text",
    start: (peers, service) => peers.python("worker", service, "--dialect", "text"),
  },
  {
    name: "Python 0.2",
    service: "python-0.2",
    start: (peers, service) => peers.python("worker", service, "--dialect", "0.2"),
  },
  {
    name: "Python 0.1 text, silent while busy",
    service: "python-busy",
    start: (peers, service) => peers.python("busy_worker", service),
    readsOneFrame: true,
  },
  {
    name: "C 0.1",
    service: "c",
    start: (peers, service) => peers.c("worker", service, "bytes", ...HEARTBEAT),
  },
  {
    name: "C 0.1 text",
    service: "c-text",
    start: (peers, service) => peers.c("worker", service, "text", ...HEARTBEAT),
  },
];

export type ClientKind = {
  name: string;
  /** Starts a program that sends the requests; null stands for our Client in this process. */
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
