"""A worker in words that does its work inside its receive loop: while it works it is silent.

Of a request it reads frame 5 and nothing else, and answers with that. It beats between messages,
gives up a silent broker, and after DISCONNECT begins anew on another socket.
"""

import argparse
import json
import signal
import sys
import time

import zmq


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    options = parse()
    context = zmq.Context()
    while True:
        socket = context.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(options.endpoint)
        converse(socket, options)
        socket.close()


def converse(socket, options):
    socket.send_multipart([b"", b"MDPW01", b"READY", options.service.encode()])
    say("ready")
    beat_at = time.monotonic() + options.interval / 1000
    liveness = options.liveness
    while liveness > 0:
        if socket.poll(options.interval):
            frames = socket.recv_multipart()
            liveness = options.liveness
            if frames[2] == b"DISCONNECT":
                say("lost", why="disconnected")
                return
            if frames[2] == b"REQUEST":
                say("request", frames=[frames[5].hex()])
                time.sleep(options.work / 1000)
                socket.send_multipart([b"", b"MDPW01", b"REPLY", frames[3], b"", frames[5]])
                say("answered")
        else:
            liveness -= 1
        if time.monotonic() >= beat_at:
            socket.send_multipart([b"", b"MDPW01", b"HEARTBEAT"])
            beat_at = time.monotonic() + options.interval / 1000
    say("lost", why="silent")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("service")
    parser.add_argument("--interval", type=int, default=2500, help="of heartbeats, in ms")
    parser.add_argument("--liveness", type=int, default=3)
    parser.add_argument("--work", type=int, default=0, help="how long each request takes, in ms")
    return parser.parse_args()


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


main()
