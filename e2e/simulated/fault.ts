// What can go wrong, by name.

export const FAULTS = [
  "worker killed",
  "worker frozen",
  "worker left",
  "client killed",
  "client frozen",
  "broker killed",
  "broker frozen",
  "broker stopped", // By SIGTERM: it drains.
  "link cut", // Nothing gets through for a while.
  "link cut one way",
  "deaf newcomer", // It connects and speaks, and hears nothing for a while.
  "connection reset",
  "clock jumped",
  "intruder came", // Sends what no peer should.
  "burst", // More requests at once than usual.
] as const;

export type Fault = (typeof FAULTS)[number];
