// The faults that the nemesis can inject, by name.

export const FAULTS = [
  "worker killed",
  "worker frozen",
  "worker left",
  "client killed",
  "client frozen",
  "broker killed",
  "broker frozen",
  "broker stopped", // By SIGTERM: it drains.
  "broker replaced", // By a broker of another kind: see broker-kind.ts.
  "link cut", // No message passes for a while.
  "link cut one way",
  "newcomer without replies", // It connects and sends, but receives nothing for a while.
  "connection reset",
  "clock jumped",
  "intruder came", // It sends messages that no correct peer sends.
  "burst", // More requests at once than usual.
] as const;

export type Fault = (typeof FAULTS)[number];
