"""A broker of MDP/0.1 as a first version with pyzmq: a ROUTER, a dictionary of workers, and per
service a deque of requests and a deque of idle workers.

One request at a time per worker, no client envelope, mmi.service. The broker forgets a worker that
is silent for three intervals, and loses its request.
"""

import argparse
import collections
import signal
import sys
import time

import zmq

READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = (bytes([number]) for number in range(1, 6))
INTERVAL = 2.5
LEASE = 3 * INTERVAL


class Service:
    def __init__(self, name):
        self.name = name
        self.requests = collections.deque()  # Each is a client and the frames of a body.
        self.idle = collections.deque()  # The longest idle worker first.
        self.workers = 0  # Idle and busy.


class Worker:
    def __init__(self, address, service):
        self.address = address
        self.service = service
        self.expiry = time.monotonic() + LEASE


class Broker:
    def __init__(self, endpoint):
        self.services = {}  # By name.
        self.workers = {}  # By address.
        self.socket = zmq.Context().socket(zmq.ROUTER)
        self.socket.sndhwm = self.socket.rcvhwm = 0
        self.socket.bind(endpoint)

    def run(self):
        beat_at = time.monotonic() + INTERVAL
        while True:
            if self.socket.poll(max(0, beat_at - time.monotonic()) * 1000):
                self.receive(self.socket.recv_multipart())
            if time.monotonic() >= beat_at:
                self.beat()
                beat_at = time.monotonic() + INTERVAL

    def receive(self, frames):
        if len(frames) >= 5 and frames[1:3] == [b"", b"MDPC01"]:
            self.from_client(frames[0], frames[3], frames[4:])
        elif len(frames) >= 4 and frames[1:3] == [b"", b"MDPW01"]:
            self.from_worker(frames[0], frames[3], frames[4:])

    def from_client(self, client, name, body):
        if name == b"mmi.service":
            requested = self.services.get(body[0])
            self.send_reply(client, name, [b"200" if requested and requested.workers else b"404"])
            return
        service = self.service(name)
        service.requests.append((client, body))
        self.dispatch(service)

    def from_worker(self, address, command, rest):
        worker = self.workers.get(address)
        if worker:
            worker.expiry = time.monotonic() + LEASE
        if command == READY and rest and not worker:
            worker = self.workers[address] = Worker(address, self.service(rest[0]))
            worker.service.workers += 1
            self.add_idle(worker)
        elif command == REPLY and len(rest) >= 3 and worker:
            self.send_reply(rest[0], worker.service.name, rest[2:])
            self.add_idle(worker)
        elif command != HEARTBEAT or not worker:
            if worker:
                self.remove(worker)
            if command != DISCONNECT:
                self.send_command(address, DISCONNECT)

    def service(self, name):
        if name not in self.services:
            self.services[name] = Service(name)
        return self.services[name]

    def add_idle(self, worker):
        worker.service.idle.append(worker)
        self.dispatch(worker.service)

    def dispatch(self, service):
        while service.requests and service.idle:
            client, body = service.requests.popleft()
            self.send_command(service.idle.popleft().address, REQUEST, client, b"", *body)

    def beat(self):
        now = time.monotonic()
        for worker in list(self.workers.values()):
            if now >= worker.expiry:
                self.remove(worker)
            else:
                self.send_command(worker.address, HEARTBEAT)

    def remove(self, worker):
        del self.workers[worker.address]
        worker.service.workers -= 1
        if worker in worker.service.idle:
            worker.service.idle.remove(worker)

    def send_reply(self, client, name, body):
        self.socket.send_multipart([client, b"", b"MDPC01", name, *body])

    def send_command(self, worker, command, *frames):
        self.socket.send_multipart([worker, b"", b"MDPW01", command, *frames])


class Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.exit(f"python_broker: {message}")


signal.signal(signal.SIGTERM, signal.SIG_DFL)
parser = Parser()
parser.add_argument("--endpoint", required=True)
try:
    broker = Broker(parser.parse_args().endpoint)
except zmq.ZMQError as error:
    sys.exit(f"python_broker: cannot listen: {error}")
broker.run()
