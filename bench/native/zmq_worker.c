// Echo workers of MDP/0.1 on libzmq, a DEALER each, in one process. Arguments as in worker.c.

#include "program.h"
#include <zmq.h>

enum { PARTS = 16 };
static const int64_t BEAT_NS = 2500000000;

static const char *endpoint;
static long workers = 1, services = 1, first, credit;
static void **sockets;

static void read_arguments(int count, char **given) {
    parse(count, given, (struct argument[]){
        {"endpoint", TEXT, &endpoint, 0},
        {"workers", WHOLE, &workers, 1},
        {"services", WHOLE, &services, 1},
        {"first", WHOLE, &first, 0},
        {"credit", WHOLE, &credit, 0},
        {0},
    });
}

static void send_text(void *socket, const char *text, int flags) {
    require(zmq_send(socket, text, strlen(text), flags) >= 0, "zmq_send");
}

static void command(void *socket, const char *code, int flags) {
    send_text(socket, "", ZMQ_SNDMORE);
    send_text(socket, "MDPW01", ZMQ_SNDMORE);
    send_text(socket, code, flags);
}

static void ready(void *socket, long number) {
    char text[16];
    command(socket, "\1", ZMQ_SNDMORE);
    snprintf(text, sizeof text, services == 1 ? "echo" : "s%ld", number % services);
    send_text(socket, text, credit ? ZMQ_SNDMORE : 0);
    if (!credit) return;
    snprintf(text, sizeof text, "%ld", credit);
    send_text(socket, text, 0);
}

// The number of frames of the next message, or 0 if there is none.
static int receive(void *socket, zmq_msg_t *frames) {
    int count = 0, more;
    do {
        if (count == PARTS) fail("a message has too many frames");
        zmq_msg_init(&frames[count]);
        if (zmq_msg_recv(&frames[count], socket, ZMQ_DONTWAIT) < 0) return 0;
        more = zmq_msg_more(&frames[count++]);
    } while (more);
    return count;
}

// A REPLY is the REQUEST with another command: the other frames stay.
static void serve(void *socket) {
    zmq_msg_t frames[PARTS];
    for (int count; (count = receive(socket, frames)) > 0;) {
        char *code = zmq_msg_data(&frames[count > 2 ? 2 : 0]);
        int is_request = count > 5 && zmq_msg_size(&frames[2]) == 1 && *code == 2;
        if (is_request) *code = 3;
        for (int i = 0; i < count; i++) {
            int flags = i < count - 1 ? ZMQ_SNDMORE : 0;
            if (is_request) require(zmq_msg_send(&frames[i], socket, flags) >= 0, "zmq_msg_send");
            else zmq_msg_close(&frames[i]);
        }
    }
}

int main(int count, char **given) {
    read_arguments(count, given);
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)workers + 16);
    sockets = allocate((size_t)workers, sizeof *sockets);
    zmq_pollitem_t *items = allocate((size_t)workers, sizeof *items);
    for (long i = 0; i < workers; i++) {
        sockets[i] = zmq_socket(context, ZMQ_DEALER);
        require(sockets[i] && zmq_connect(sockets[i], endpoint) == 0, endpoint);
        ready(sockets[i], first + i);
        items[i] = (zmq_pollitem_t){sockets[i], 0, ZMQ_POLLIN, 0};
    }
    puts("ready");
    fflush(stdout);
    for (int64_t beat_at = now_ns() + BEAT_NS;;) {
        int64_t left = beat_at - now_ns();
        require(zmq_poll(items, (int)workers, left > 0 ? left / 1000000 + 1 : 0) >= 0, "zmq_poll");
        for (long i = 0; i < workers; i++)
            if (items[i].revents) serve(sockets[i]);
        if (now_ns() < beat_at) continue;
        for (long i = 0; i < workers; i++) command(sockets[i], "\4", 0);
        beat_at = now_ns() + BEAT_NS;
    }
}
