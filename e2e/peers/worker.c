// An echo worker of 7/MDP on libzmq, in C, with commands in bytes or in the text dialect.
//
//   worker ENDPOINT SERVICE bytes|text INTERVAL_MS LIVENESS
//
// It sends HEARTBEAT. When the broker is silent or sends DISCONNECT, it opens a new socket and
// sends READY again.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT, COMMANDS };
static const char *BYTES[COMMANDS] = {"\1", "\2", "\3", "\4", "\5"};
static const char *TEXT[COMMANDS] = {"READY", "REQUEST", "REPLY", "HEARTBEAT", "DISCONNECT"};

static const char **commands = BYTES;
static void *broker; // The present socket to the broker.
static long interval_ms;
static long beat_at; // The time of the next HEARTBEAT.

static void leave(int signal) {
    (void)signal;
    _exit(0);
}

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "worker: %s\n", what);
    exit(1);
}

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void send_text(const char *text, int flags) {
    require(zmq_send(broker, text, strlen(text), flags) >= 0, "a frame was not sent");
}

static void start(int command, int flags) {
    beat_at = now_ms() + interval_ms;
    send_text("", ZMQ_SNDMORE);
    send_text("MDPW01", ZMQ_SNDMORE);
    send_text(commands[command], flags);
}

// Receives the frames of a message up to its command. More frames may follow.
static int receive_command(void) {
    char frame[16];
    require(zmq_recv(broker, frame, sizeof frame, 0) == 0, "no empty frame");
    require(zmq_recv(broker, frame, sizeof frame, 0) == 6, "no header");
    require(memcmp(frame, "MDPW01", 6) == 0, "the header is not MDPW01");
    int size = zmq_recv(broker, frame, sizeof frame, 0);
    for (int command = 0; command < COMMANDS; command++) {
        int length = (int)strlen(commands[command]);
        if (size == length && memcmp(frame, commands[command], (size_t)length) == 0) return command;
    }
    require(0, "the command is not one of 7/MDP");
    return -1;
}

// Sends back the client's address, the empty frame and the body unchanged.
static void echo(void) {
    int more = 1;
    start(REPLY, ZMQ_SNDMORE);
    while (more) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        require(zmq_msg_recv(&frame, broker, 0) >= 0, "no frame");
        more = zmq_msg_more(&frame);
        require(zmq_msg_send(&frame, broker, more ? ZMQ_SNDMORE : 0) >= 0, "a frame was not sent");
    }
    puts("{\"event\":\"answered\"}");
}

// Returns when the broker sends DISCONNECT, or nothing for a whole lease.
static void converse(const char *service, long lease_ms) {
    long expiry = now_ms() + lease_ms;
    start(READY, ZMQ_SNDMORE);
    send_text(service, 0);
    puts("{\"event\":\"ready\"}");
    while (now_ms() < expiry) {
        zmq_pollitem_t item = {broker, 0, ZMQ_POLLIN, 0};
        long wait = beat_at - now_ms();
        require(zmq_poll(&item, 1, wait > 0 ? wait : 0) >= 0, "polling failed");
        if (item.revents & ZMQ_POLLIN) {
            int command = receive_command();
            expiry = now_ms() + lease_ms;
            if (command == DISCONNECT) return;
            if (command == REQUEST) echo();
        }
        if (now_ms() >= beat_at) start(HEARTBEAT, 0);
    }
}

int main(int count, char **arguments) {
    require(count == 6, "worker ENDPOINT SERVICE bytes|text INTERVAL_MS LIVENESS");
    if (strcmp(arguments[3], "text") == 0) commands = TEXT;
    interval_ms = atol(arguments[4]);
    signal(SIGTERM, leave);
    setvbuf(stdout, NULL, _IOLBF, 0);
    void *context = zmq_ctx_new();
    for (;;) {
        int linger = 0;
        broker = zmq_socket(context, ZMQ_DEALER);
        zmq_setsockopt(broker, ZMQ_LINGER, &linger, sizeof linger);
        require(zmq_connect(broker, arguments[1]) == 0, "the endpoint cannot be connected to");
        converse(arguments[2], interval_ms * atol(arguments[5]));
        puts("{\"event\":\"lost\"}");
        zmq_close(broker);
    }
}
