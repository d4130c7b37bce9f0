"""A broker of 7/MDP without extensions: no requeue, no bounds, no credit, no client envelopes.

It drops unknown messages. With --strict it drops a READY that has not exactly four frames, and all
later messages of its sender; a frame after the address that is not empty ends it with an assertion,
as it ends the Guide's broker in Python. With --mmi it answers names that start with mmi. (8/MMI);
without, such a name is a service like any other, and its requests wait. With --text it speaks the
text dialect with workers, and drops commands in bytes.
"""

import argparse
import collections
import json
import signal
import sys
import time

import zmq

COMMANDS = ["READY", "REQUEST", "REPLY", "HEARTBEAT", "DISCONNECT"]
TICK_MS = 20


class Service:
    def __init__(self):
        self.requests = collections.deque()  # The queue: pairs of client and body.
        self.waiting = collections.deque()  # Idle workers, the longest idle first.
        self.workers = 0  # Idle and busy.


class Worker:
    def __init__(self, address, service):
        self.address = address
        self.service = service
        self.client = None  # The client of its request in flight.
        self.expiry = 0
        self.beat_at = 0


class Broker:
    def __init__(self, options):
        self.options = options
        # The bytes of each command on the wire.
        self.code = {
            name: name.encode() if options.text else bytes([number])
            for number, name in enumerate(COMMANDS, start=1)
        }
        self.invalid = set()  # Addresses of peers that broke the protocol.
        self.interval = options.interval / 1000
        self.lease = self.interval * options.liveness
        self.services = collections.defaultdict(Service)
        self.workers = {}  # By address.
        self.outstanding = collections.Counter()  # Requests without a reply, by client and service.
        self.socket = zmq.Context().socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(options.endpoint)
        log("ready")

    def run(self):
        while True:
            if self.socket.poll(TICK_MS):
                self.receive(self.socket.recv_multipart())
            now = time.monotonic()
            for worker in [worker for worker in self.workers.values() if now >= worker.expiry]:
                self.remove(worker, "expired")
            for worker in [worker for worker in self.workers.values() if now >= worker.beat_at]:
                self.send_to(worker.address, "HEARTBEAT")

    def receive(self, frames):
        if self.options.strict:
            assert len(frames) >= 3
            assert frames[1] == b""
        address, empty, header, *rest = frames + [b""] * (3 - len(frames))
        if empty == b"" and header == b"MDPC01" and len(rest) >= 2:
            self.from_client(address, *rest)
        elif empty == b"" and header == b"MDPW01" and rest:
            self.from_worker(address, *rest)
        else:
            log("dropped", frames=[frame.hex() for frame in frames])

    def from_client(self, client, name, *body):
        self.outstanding[client, name] += 1
        outstanding = self.outstanding[client, name]
        log("request", client=client.hex(), service=name.decode(), outstanding=outstanding)
        if self.options.mmi and name.startswith(b"mmi."):
            self.answer(client, name, [self.manage(name, body)])
        else:
            self.services[name].requests.append((client, body))
            self.dispatch(name)

    def manage(self, name, body):
        if name != b"mmi.service":
            return b"501"
        return b"200" if body[0] in self.services and self.services[body[0]].workers else b"404"

    def from_worker(self, address, code, *rest):
        worker = self.workers.get(address)
        command = {code: name for name, code in self.code.items()}.get(code)
        if command == "READY" and self.options.strict and len(rest) != 1:
            self.invalid.add(address)
        if command is None or address in self.invalid:
            log("dropped", frames=[code.hex(), *(frame.hex() for frame in rest)])
        elif command == "READY" and not worker:
            self.register(Worker(address, rest[0]))
        elif command == "DISCONNECT":
            if worker:
                self.remove(worker, "left")
        elif command == "HEARTBEAT" and worker:
            worker.expiry = time.monotonic() + self.lease
        elif command == "REPLY" and worker and worker.client:
            worker.expiry = time.monotonic() + self.lease
            client, worker.client = worker.client, None
            self.answer(client, worker.service, rest[2:])
            self.services[worker.service].waiting.append(worker)
            self.dispatch(worker.service)
        else:
            # Valid but unexpected (7/MDP, Opening and Closing a Connection).
            if worker:
                self.remove(worker, "unexpected")
            self.send_to(address, "DISCONNECT")

    def register(self, worker):
        self.workers[worker.address] = worker
        worker.expiry = time.monotonic() + self.lease
        worker.beat_at = time.monotonic() + self.interval
        self.services[worker.service].workers += 1
        self.services[worker.service].waiting.append(worker)
        log("registered", service=worker.service.decode(), worker=worker.address.hex())
        self.dispatch(worker.service)

    def remove(self, worker, reason):
        """Forgets the worker and its request in flight."""
        del self.workers[worker.address]
        service = self.services[worker.service]
        service.workers -= 1
        if worker in service.waiting:
            service.waiting.remove(worker)
        log("removed", service=worker.service.decode(), reason=reason, busy=bool(worker.client))

    def dispatch(self, name):
        service = self.services[name]
        while service.requests and service.waiting:
            client, body = service.requests.popleft()
            worker = service.waiting.popleft()
            worker.client = client
            log("dispatched", service=name.decode(), worker=worker.address.hex())
            self.send_to(worker.address, "REQUEST", client, b"", *body)

    def answer(self, client, name, body):
        self.outstanding[client, name] -= 1
        self.socket.send_multipart([client, b"", b"MDPC01", name, *body])

    def send_to(self, address, command, *frames):
        if address in self.workers:
            self.workers[address].beat_at = time.monotonic() + self.interval
        self.socket.send_multipart([address, b"", b"MDPW01", self.code[command], *frames])


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("--mmi", action="store_true")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--interval", type=int, default=2500, help="the heartbeat interval in ms")
    parser.add_argument("--liveness", type=int, default=3)
    return parser.parse_args()


def log(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Broker(parse()).run()
