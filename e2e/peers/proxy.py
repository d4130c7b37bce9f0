"""libzmq's proxy between clients and a broker: a ROUTER for clients, a DEALER to the broker."""

import json
import signal
import sys

import zmq


def main(broker, frontend):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    dealer = context.socket(zmq.DEALER)
    router.linger = dealer.linger = 0
    router.bind(frontend)
    dealer.connect(broker)
    print(json.dumps({"event": "ready"}), flush=True)
    zmq.proxy(router, dealer)


main(*sys.argv[1:])
