"""A client of 7/MDP (0.1) or 18/MDP (0.2) on libzmq, written from the specifications.

Sends each request of its command line, and prints each message that it receives as a line of JSON.
Frames are in hex; commas separate the frames of a request.
"""

import argparse
import json
import signal
import sys

import zmq

EVENTS = {b"\x02": "partial", b"\x03": "final"}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    options = parse()
    client = Client(options)
    log("ready")
    requests = list(enumerate(options.requests * options.times))
    if options.at_once:
        served = client.ask_at_once(requests)
    else:
        served = all(client.ask(number, body) for number, body in requests)
    sys.exit(0 if served else 1)


class Client:
    def __init__(self, options):
        self.options = options
        self.context = zmq.Context()
        self.socket = None
        self.connect()

    def connect(self):
        if self.socket:
            self.socket.close()
        self.socket = self.context.socket(zmq.REQ if self.options.req else zmq.DEALER)
        self.socket.linger = 0
        if self.options.correlate:
            self.socket.setsockopt(zmq.REQ_CORRELATE, 1)
            self.socket.setsockopt(zmq.REQ_RELAXED, 1)
        if self.options.routing_id:
            self.socket.setsockopt(zmq.ROUTING_ID, self.options.routing_id.encode())
        self.socket.connect(self.options.endpoint)

    def ask(self, number, body):
        """Sends a request, after each timeout on a new socket (7/MDP, client recovery)."""
        for attempt in range(self.options.tries):
            if attempt > 0:
                self.connect()
            self.send(number, body)
            while self.socket.poll(self.options.timeout):
                if self.receive() != "partial":
                    return True
            log("timeout")
        return False

    def ask_at_once(self, requests):
        """Sends all requests before the first reply. A REQ socket waits only for the last reply."""
        for number, body in requests:
            self.send(number, body)
        unanswered = 1 if self.options.req else len(requests)
        while unanswered > 0:
            if not self.socket.poll(self.options.timeout):
                log("timeout")
                return False
            if self.receive() != "partial":
                unanswered -= 1
        return True

    def send(self, number, body):
        frames = [self.options.service.encode(), *body]
        frames = [b"MDPC02", b"\x01", *frames] if self.options.v2 else [b"MDPC01", *frames]
        if self.options.envelope:
            frames = [number.to_bytes(4, "big"), b"", *frames]
        elif not self.options.req and not self.options.v2:
            frames = [b"", *frames]  # A REQ socket adds this delimiter itself.
        self.socket.send_multipart(frames)

    def receive(self):
        frames = self.socket.recv_multipart()
        fields = {}
        if self.options.envelope:
            fields["request"] = int.from_bytes(frames.pop(0), "big")
        if self.options.envelope or not (self.options.req or self.options.v2):
            expect(frames.pop(0), b"")
        expect(frames.pop(0), b"MDPC02" if self.options.v2 else b"MDPC01")
        event = EVENTS[frames.pop(0)] if self.options.v2 else "reply"
        expect(frames.pop(0), self.options.service.encode())
        log(event, **fields, frames=[frame.hex() for frame in frames])
        return event


def expect(frame, expected):
    if frame != expected:
        sys.exit(f"a frame is {frame!r}, not {expected!r}")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("service")
    parser.add_argument("requests", nargs="+", type=body_of)
    parser.add_argument("--req", action="store_true", help="use a REQ socket, not a DEALER")
    parser.add_argument("--v2", action="store_true", help="speak MDP 0.2, not 0.1")
    parser.add_argument("--times", type=int, default=1, help="send all requests so many times")
    parser.add_argument("--at-once", action="store_true", help="do not wait between requests")
    parser.add_argument("--correlate", action="store_true", help="REQ_CORRELATE and REQ_RELAXED")
    parser.add_argument("--envelope", action="store_true", help="a number before the delimiter")
    parser.add_argument("--routing-id")
    parser.add_argument("--timeout", type=int, default=20_000, help="of each try, in ms")
    parser.add_argument("--tries", type=int, default=1)
    return parser.parse_args()


def body_of(text):
    return [bytes.fromhex(frame) for frame in text.split(",")]


def log(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


main()
