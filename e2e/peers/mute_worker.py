"""A worker in words that never beats and ignores DISCONNECT: READY, and answers to requests.

SIGUSR1 makes it say READY again, on the same socket. All that it is sent is printed.
"""

import json
import signal
import sys

import zmq

TICK_MS = 20
again = False


def main(endpoint, service):
    global again
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGUSR1, say_ready_again)
    socket = zmq.Context().socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(endpoint)
    ready = [b"", b"MDPW01", b"READY", service.encode()]
    socket.send_multipart(ready)
    say("ready")
    while True:
        if again:
            again = False
            socket.send_multipart(ready)
        if not socket.poll(TICK_MS):
            continue
        _, _, command, *frames = socket.recv_multipart()
        say("received", command=command.decode())
        if command == b"REQUEST":
            socket.send_multipart([b"", b"MDPW01", b"REPLY", *frames])


def say_ready_again(*_):
    global again
    again = True


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


main(*sys.argv[1:])
