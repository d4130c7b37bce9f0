// Clients of MDP/0.1 on libzmq, a DEALER each, that keep requests outstanding. Arguments and output
// are those of load.c, with one of its two options:
//
//   --no-envelope    the correlation begins the body, for brokers that keep no envelope
//
// A request is [correlation, 8 bytes] [] [MDPC01] [service] [body], and so is its reply.

#include "measure.h"
#include <zmq.h>

static const char *endpoint;
static long clients = 1, outstanding = 1, bytes = 64, services = 1, no_envelope;
static double warmup = 1, seconds = 5;
static void **sockets;
static int64_t *sent_at; // By correlation.
static char *body;
static struct measure measure;

static void read_arguments(int count, char **given) {
    parse(count, given, (struct argument[]){
        {"endpoint", TEXT, &endpoint, 0},
        {"clients", WHOLE, &clients, 1},
        {"outstanding", WHOLE, &outstanding, 1},
        {"bytes", WHOLE, &bytes, 0},
        {"services", WHOLE, &services, 1},
        {"warmup", SECONDS, &warmup, 0},
        {"seconds", SECONDS, &seconds, 0},
        {"no-envelope", FLAG, &no_envelope, 0},
        {0},
    });
    if (no_envelope && bytes < (long)sizeof(uint64_t))
        fail("with --no-envelope, --bytes must be at least 8");
}

static void send_frame(void *socket, const void *data, size_t size, int flags) {
    require(zmq_send(socket, data, size, flags) >= 0, "zmq_send");
}

static void send_request(uint64_t number, int64_t now) {
    char service[16];
    void *socket = sockets[number % (uint64_t)clients];
    snprintf(service, sizeof service, services == 1 ? "echo" : "s%ld", (long)number % services);
    sent_at[number] = now;
    if (no_envelope) memcpy(body, &number, sizeof number);
    else send_frame(socket, &number, sizeof number, ZMQ_SNDMORE);
    send_frame(socket, "", 0, ZMQ_SNDMORE);
    send_frame(socket, "MDPC01", 6, ZMQ_SNDMORE);
    send_frame(socket, service, strlen(service), ZMQ_SNDMORE);
    send_frame(socket, body, (size_t)bytes, 0);
}

// The number of the request that the next message answers. -1: no message, -2: a wrong one.
static int64_t receive(void *socket) {
    int64_t number = -2;
    size_t size = 0;
    int count = 0, more;
    do {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) return -1;
        size = zmq_msg_size(&frame);
        if (count++ == (no_envelope ? 3 : 0) && size >= sizeof number)
            memcpy(&number, zmq_msg_data(&frame), sizeof number);
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    } while (more);
    int whole = count == (no_envelope ? 4 : 5) && size == (size_t)bytes;
    return whole && number >= 0 && number < outstanding ? number : -2;
}

static void take_replies(void *socket) {
    for (int64_t number; (number = receive(socket)) != -1;) {
        int64_t now = now_ns();
        if (number < 0) {
            measure.errors++;
            continue;
        }
        answered(&measure, now - sent_at[number]);
        send_request((uint64_t)number, now);
    }
}

int main(int count, char **given) {
    read_arguments(count, given);
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)clients + 16);
    sockets = allocate((size_t)clients, sizeof *sockets);
    sent_at = allocate((size_t)outstanding, sizeof *sent_at);
    body = allocate((size_t)bytes + 1, 1);
    zmq_pollitem_t *items = allocate((size_t)clients, sizeof *items);
    for (long i = 0; i < clients; i++) {
        sockets[i] = zmq_socket(context, ZMQ_DEALER);
        require(sockets[i] && zmq_connect(sockets[i], endpoint) == 0, endpoint);
        items[i] = (zmq_pollitem_t){sockets[i], 0, ZMQ_POLLIN, 0};
    }
    start(&measure, warmup, seconds);
    for (long number = 0; number < outstanding; number++) send_request((uint64_t)number, now_ns());
    while (!over(&measure, now_ns())) {
        require(zmq_poll(items, (int)clients, 10) >= 0, "zmq_poll");
        for (long i = 0; i < clients; i++)
            if (items[i].revents) take_replies(sockets[i]);
    }
    report(&measure, now_ns());
    return 0;
}
