"""An echo worker of 7/MDP (0.1), in bytes or in words, or of 18/MDP (0.2), on libzmq.

Keeps all rules of the worker's side: it beats also while it works, gives up a silent broker, and
after DISCONNECT begins anew on another socket. With --hold an answer is kept back until SIGUSR1.
"""

import argparse
import json
import signal
import sys
import time

import zmq

WORDS = {name: name.encode() for name in ("READY", "REQUEST", "REPLY", "HEARTBEAT", "DISCONNECT")}
BYTES = {name: bytes([number]) for number, name in enumerate(WORDS, start=1)}
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
        self.commands = {"bytes": BYTES, "words": WORDS, "0.2": V2}[options.dialect]
        self.start = [b"MDPW02"] if v2 else [b"", b"MDPW01"]
        self.answer = "FINAL" if v2 else "REPLY"
        self.context = zmq.Context()
        self.socket = None
        self.held = None  # The request whose answer is kept back.
        self.released = False  # It need be kept back no longer.
        self.connect()

    def connect(self):
        """A conversation opens with READY on a new socket."""
        if self.socket:
            self.socket.close(linger=0)
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.connect(self.options.endpoint)
        self.held = None
        self.released = False
        self.expiry = time.monotonic() + self.lease
        self.send("READY", self.options.service.encode())
        say("ready")

    def run(self):
        while True:
            if self.socket.poll(TICK_MS):
                self.receive(self.socket.recv_multipart())
            if self.held and self.released:
                self.finish()
            now = time.monotonic()
            if now >= self.expiry:
                say("lost", why="silent")
                self.connect()
            elif now >= self.beat_at:
                self.send("HEARTBEAT")

    def receive(self, frames):
        self.expiry = time.monotonic() + self.lease
        start, command, rest = split(frames, len(self.start))
        if start != self.start:
            sys.exit(f"no command for a worker: {frames!r}")
        if command == self.commands["DISCONNECT"]:
            say("lost", why="disconnected")
            self.connect()
        elif command == self.commands["REQUEST"]:
            self.work(*rest)
        elif command != self.commands["HEARTBEAT"] or rest:
            sys.exit(f"no command for a worker: {frames!r}")

    def work(self, client, empty, *body):
        say("request", frames=[frame.hex() for frame in body])
        if empty != b"" or not body or self.held:
            sys.exit("a REQUEST that 7/MDP does not have")
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
        say("answered")

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
    parser.add_argument("--dialect", choices=["bytes", "words", "0.2"], default="bytes")
    parser.add_argument("--interval", type=int, default=2500, help="of heartbeats, in ms")
    parser.add_argument("--liveness", type=int, default=3)
    parser.add_argument("--partials", type=int, default=0, help="PARTIALs before each FINAL")
    parser.add_argument("--hold", action="store_true", help="answer at SIGUSR1, not before")
    return parser.parse_args()


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


main()
