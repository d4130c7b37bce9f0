// The limit of libzmq: a ROUTER for clients, a DEALER for workers, and zmq_proxy between them.

#include "program.h"
#include <zmq.h>

static void *bound(void *context, int type, const char *endpoint) {
    int none = 0;
    void *socket = zmq_socket(context, type);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    if (zmq_bind(socket, endpoint) < 0) fail("cannot listen on %s", endpoint);
    return socket;
}

int main(int count, char **given) {
    const char *clients = NULL, *workers = NULL;
    parse(count, given, (struct argument[]){
        {"clients", TEXT, &clients, 0},
        {"workers", TEXT, &workers, 0},
        {0},
    });
    if (!clients || !workers) fail("--clients and --workers must be endpoints");
    void *context = zmq_ctx_new();
    void *backend = bound(context, ZMQ_DEALER, workers);
    zmq_proxy(bound(context, ZMQ_ROUTER, clients), backend, NULL);
}
