"""An echo worker of 7/MDP (0.1), in bytes or the text dialect, or of 18/MDP (0.2), on libzmq.

It obeys all rules for workers: it sends HEARTBEAT also while it works. When the broker is silent or
sends DISCONNECT, it opens a new socket and sends READY again. With --hold each reply waits for
SIGUSR1. With --swallow it never replies to its first request.
"""

import argparse
import json
import signal
import sys
import time

import zmq

TEXT = {name: name.encode() for name in ("READY", "REQUEST", "REPLY", "HEARTBEAT", "DISCONNECT")}
BYTES = {name: bytes([number]) for number, name in enumerate(TEXT, start=1)}
V2 = {
    "READY": b"\x01",
    "REQUEST": b"\x02",
    "PARTIAL": b"\x03",
    "FINAL": b"\x04",
    "HEARTBEAT": b"\x05",
    "DISCONNECT": b"\x06",
}
TICK_MS = 20


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    worker = Worker(parse())
    signal.signal(signal.SIGUSR1, lambda *_: worker.release())
    try:
        worker.run()
    finally:
        worker.send("DISCONNECT")
        worker.socket.close(linger=200)


class Worker:
    def __init__(self, options):
        self.options = options
        self.lease = options.interval * options.liveness / 1000
        v2 = options.dialect == "0.2"
        self.commands = {"bytes": BYTES, "text": TEXT, "0.2": V2}[options.dialect]
        self.start = [b"MDPW02"] if v2 else [b"", b"MDPW01"]
        self.answer = "FINAL" if v2 else "REPLY"
        self.context = zmq.Context()
        self.socket = None
        self.held = None  # The request whose reply waits.
        self.released = False  # The reply need not wait any longer.
        self.swallows = options.swallow  # The next request gets no reply.
        self.connect()

    def connect(self):
        """Opens a new socket and sends READY."""
        if self.socket:
            self.socket.close(linger=0)
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.connect(self.options.endpoint)
        self.held = None
        self.released = False
        self.expiry = time.monotonic() + self.lease
        self.send("READY", self.options.service.encode())
        log("ready")

    def run(self):
        while True:
            if self.socket.poll(TICK_MS):
                self.receive(self.socket.recv_multipart())
            if self.held and self.released:
                self.finish()
            now = time.monotonic()
            if now >= self.expiry:
                log("lost", reason="silent")
                self.connect()
            elif now >= self.beat_at:
                self.send("HEARTBEAT")

    def receive(self, frames):
        self.expiry = time.monotonic() + self.lease
        start, command, rest = split(frames, len(self.start))
        if start != self.start:
            sys.exit(f"not a command for a worker: {frames!r}")
        if command == self.commands["DISCONNECT"]:
            log("lost", reason="disconnected")
            self.connect()
        elif command == self.commands["REQUEST"]:
            self.work(*rest)
        elif command != self.commands["HEARTBEAT"] or rest:
            sys.exit(f"not a command for a worker: {frames!r}")

    def work(self, client, empty, *body):
        log("request", frames=[frame.hex() for frame in body])
        if empty != b"" or not body or self.held:
            sys.exit(f"not a REQUEST of 7/MDP: {[client, empty, *body]!r}")
        if self.swallows:
            self.swallows = False
            return
        for number in range(1, self.options.partials + 1):
            self.send("PARTIAL", client, b"", str(number).encode(), *body)
        self.held = [client, b"", *body]
        if not self.options.hold:
            self.finish()

    def finish(self):
        frames = self.held
        self.held = None
        self.released = False
        self.send(self.answer, *frames)
        log("answered")

    def release(self):
        self.released = True

    def send(self, command, *frames):
        self.beat_at = time.monotonic() + self.options.interval / 1000
        self.socket.send_multipart([*self.start, self.commands[command], *frames])


def split(frames, length):
    return frames[:length], frames[length], frames[length + 1 :]


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("service")
    parser.add_argument("--dialect", choices=["bytes", "text", "0.2"], default="bytes")
    parser.add_argument("--interval", type=int, default=2500, help="the heartbeat interval in ms")
    parser.add_argument("--liveness", type=int, default=3)
    parser.add_argument("--partials", type=int, default=0, help="PARTIALs before each FINAL")
    parser.add_argument("--hold", action="store_true", help="reply at SIGUSR1, not before")
    parser.add_argument("--swallow", action="store_true", help="never reply to the first request")
    return parser.parse_args()


def log(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


main()
