// Endpoints as ZeroMQ writes them: `tcp://host:port` and `ipc://path`. The host is a name, an IPv4
// address, an IPv6 address in brackets, or for a broker `*` or a network interface.

export type TcpAddress = {
  /** Without brackets; `*` stands for all addresses of the machine. */
  host: string;
  /** 0: the system chooses a free port. */
  port: number;
};

export type IpcAddress = { path: string };

/** Whether a client or a worker can connect to this endpoint. */
export const isBrokerEndpoint = (value: string): boolean => brokerAddressOf(value) !== null;

/** Whether a broker can bind to this endpoint. */
export const isEndpoint = (value: string): boolean => addressOf(value) !== null;

/** The address to which a client or a worker connects. Throws a RangeError for other endpoints. */
export function parseBrokerEndpoint(value: string): TcpAddress | IpcAddress {
  return (
    brokerAddressOf(value) ??
    refuse(value, "connect to", "tcp://localhost:5555, tcp://[::1]:5555 or ipc:///run/mdp.sock")
  );
}

/** The address that a broker binds. Throws a RangeError for other endpoints. */
export function parseEndpoint(value: string): TcpAddress | IpcAddress {
  return (
    addressOf(value) ??
    refuse(
      value,
      "bind",
      "tcp://*:5555, tcp://[::1]:5555, tcp://127.0.0.1:* or ipc:///run/mdp.sock",
    )
  );
}

/** The endpoint with this port instead of `*` or 0. */
export const withPort = (endpoint: string, port: number): string =>
  endpoint.replace(/:(\*|0+)$/, `:${port}`);

function addressOf(value: string): TcpAddress | IpcAddress | null {
  const path = /^ipc:\/\/(.+)$/.exec(value)?.[1];
  if (path !== undefined) return { path };
  const [, name, ipv6, digits] = TCP.exec(value) ?? [];
  const port = digits === "*" ? 0 : Number(digits);
  // libzmq accepts larger ports and keeps their lowest 16 bits.
  if (digits === undefined || port > 65_535) return null;
  if (ipv6 === undefined) return { host: name ?? "", port };
  const [ip, zone] = ipv6.split("%");
  return zone !== "" && URL.canParse(`http://[${ip}]`) ? { host: ipv6, port } : null;
}

function brokerAddressOf(value: string): TcpAddress | IpcAddress | null {
  if (value.includes("*")) return null;
  const address = addressOf(value);
  return address && "port" in address && address.port === 0 ? null : address;
}

function refuse(value: string, verb: string, examples: string): never {
  throw new RangeError(`cannot ${verb} "${value}": not an endpoint such as ${examples}`);
}

const TCP = /^tcp:\/\/(?:(\*|[\w.-]+)|\[([0-9A-Fa-f:.]+(?:%[\w.-]*)?)\]):(\*|[0-9]{1,5})$/;
