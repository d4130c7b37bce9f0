// Endpoints as ZeroMQ writes them: `tcp://host:port` and `ipc://path`.

/** Whether a client or a worker can connect to this endpoint. */
export function isBrokerEndpoint(value: string): boolean {
  return isEndpoint(value) && !value.includes("*");
}

/** Whether a broker can bind to this endpoint; `*` stands for all addresses of the machine. */
export function isEndpoint(value: string): boolean {
  if (/^ipc:\/\/.+/.test(value)) return true;
  // libzmq accepts larger ports and keeps their lowest 16 bits.
  const port = /^tcp:\/\/(?:\*|[\w.-]+):([0-9]{1,5})$/.exec(value)?.[1];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}
