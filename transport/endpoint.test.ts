import assert from "node:assert/strict";
import { test } from "node:test";
import { isBrokerEndpoint, isEndpoint, parseEndpoint, withPort } from "./endpoint.ts";

/** The endpoints that a broker can bind, and whether others can connect to them. */
const ENDPOINTS: [string, boolean][] = [
  ["tcp://127.0.0.1:5555", true],
  ["tcp://broker-1.example_net:1", true],
  ["tcp://[::1]:65535", true],
  ["tcp://[fe80::1%eth0]:5555", true],
  ["tcp://[::ffff:127.0.0.1]:5555", true],
  ["ipc:///run/mdp.sock", true],
  ["ipc://@mdp", true],
  ["tcp://*:5555", false],
  ["tcp://eth0:*", false],
  ["tcp://[::]:0", false],
  ["tcp://*:*", false],
];

for (const [endpoint, isForBroker] of ENDPOINTS) {
  test(`${endpoint}: can be bound; ${isForBroker ? "peers" : "no peer"} can connect to it`, () => {
    assert.deepEqual([isEndpoint(endpoint), isBrokerEndpoint(endpoint)], [true, isForBroker]);
  });
}

const BAD = [
  "tcp://127.0.0.1",
  "tcp://127.0.0.1:",
  "tcp://127.0.0.1:65536",
  "tcp://127.0.0.1:-1",
  "tcp://:5555",
  "tcp://::1:5555",
  "tcp://[::1]",
  "tcp://[::1::2]:5555",
  "tcp://[127.0.0.1]:5555",
  "tcp://[fe80::1%]:5555",
  "tcp://[localhost]:5555",
  "tcp://a b:5555",
  "udp://127.0.0.1:5555",
  "127.0.0.1:5555",
  "ipc://",
  "",
];

for (const value of BAD) {
  test(`"${value}": not an endpoint`, () => {
    assert.deepEqual([isEndpoint(value), isBrokerEndpoint(value)], [false, false]);
  });
}

test("address of an endpoint: the host without brackets, and port 0 for *", () => {
  assert.deepEqual(parseEndpoint("tcp://[::1]:*"), { host: "::1", port: 0 });
  assert.deepEqual(parseEndpoint("tcp://*:5555"), { host: "*", port: 5555 });
  assert.deepEqual(parseEndpoint("ipc://a:0"), { path: "a:0" });
});

test("port chosen by the system: stands in place of * and 0 only", () => {
  assert.equal(withPort("tcp://*:*", 41_000), "tcp://*:41000");
  assert.equal(withPort("tcp://[::1]:0", 41_000), "tcp://[::1]:41000");
  assert.equal(withPort("tcp://[::1]:5555", 41_000), "tcp://[::1]:5555");
});
