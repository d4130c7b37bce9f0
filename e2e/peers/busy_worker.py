"""A worker of the text dialect that works inside its receive loop, so it is silent while it works.

It replies with frame 5 of the request and ignores the others. Between messages it sends HEARTBEAT.
When the broker is silent or sends DISCONNECT, it opens a new socket and sends READY again.
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
    log("ready")
    beat_at = time.monotonic() + options.interval / 1000
    liveness = options.liveness
    while liveness > 0:
        if socket.poll(options.interval):
            frames = socket.recv_multipart()
            liveness = options.liveness
            if frames[2] == b"DISCONNECT":
                log("lost", reason="disconnected")
                return
            if frames[2] == b"REQUEST":
                log("request", frames=[frames[5].hex()])
                time.sleep(options.work / 1000)
                socket.send_multipart([b"", b"MDPW01", b"REPLY", frames[3], b"", frames[5]])
                log("answered")
        else:
            liveness -= 1
        if time.monotonic() >= beat_at:
            socket.send_multipart([b"", b"MDPW01", b"HEARTBEAT"])
            beat_at = time.monotonic() + options.interval / 1000
    log("lost", reason="silent")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("service")
    parser.add_argument("--interval", type=int, default=2500, help="the heartbeat interval in ms")
    parser.add_argument("--liveness", type=int, default=3)
    parser.add_argument("--work", type=int, default=0, help="the time per request, in ms")
    return parser.parse_args()


def log(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


main()
