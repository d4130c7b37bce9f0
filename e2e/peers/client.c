// A client of 7/MDP on libzmq, in C: sends one request after the other on a REQ or DEALER socket.
//
//   client ENDPOINT SERVICE req|dealer REQUEST...
//
// A request is its frames in hex, separated by commas. The client prints each reply as a line of
// JSON.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { TIMEOUT_MS = 20000 };

static void leave(int signal) {
    (void)signal;
    _exit(0);
}

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

static void send_frame(void *socket, const void *bytes, size_t size, int flags) {
    require(zmq_send(socket, bytes, size, flags) == (int)size, "a frame was not sent");
}

// Sends the frames of a request. The last one ends the message.
static void send_body(void *socket, const char *hex) {
    for (;;) {
        size_t digits = strcspn(hex, ",");
        size_t size = digits / 2;
        int last = hex[digits] == '\0';
        unsigned char *bytes = malloc(size + 1);
        require(bytes != NULL && digits % 2 == 0, "a frame is not in hex");
        for (size_t i = 0; i < size; i++) {
            unsigned byte;
            require(sscanf(hex + 2 * i, "%2x", &byte) == 1, "a frame is not in hex");
            bytes[i] = (unsigned char)byte;
        }
        send_frame(socket, bytes, size, last ? 0 : ZMQ_SNDMORE);
        free(bytes);
        if (last) return;
        hex += digits + 1;
    }
}

// Returns whether more frames follow.
static int receive_frame(void *socket, zmq_msg_t *frame) {
    require(zmq_msg_init(frame) == 0, "no frame");
    if (zmq_msg_recv(frame, socket, 0) < 0) {
        puts("{\"event\":\"timeout\"}");
        exit(1);
    }
    return zmq_msg_more(frame);
}

static void expect(void *socket, const char *expected) {
    zmq_msg_t frame;
    int more = receive_frame(socket, &frame);
    size_t size = strlen(expected);
    int same = zmq_msg_size(&frame) == size && memcmp(zmq_msg_data(&frame), expected, size) == 0;
    require(same && more, "the message is not the reply to the request");
    zmq_msg_close(&frame);
}

static void print_body(void *socket) {
    int more = 1;
    fputs("{\"event\":\"reply\",\"frames\":[", stdout);
    for (int first = 1; more; first = 0) {
        zmq_msg_t frame;
        more = receive_frame(socket, &frame);
        const unsigned char *bytes = zmq_msg_data(&frame);
        fputs(first ? "\"" : ",\"", stdout);
        for (size_t i = 0; i < zmq_msg_size(&frame); i++) printf("%02x", bytes[i]);
        fputs("\"", stdout);
        zmq_msg_close(&frame);
    }
    puts("]}");
}

int main(int count, char **arguments) {
    require(count > 4, "client ENDPOINT SERVICE req|dealer REQUEST...");
    const char *endpoint = arguments[1], *service = arguments[2];
    int req = strcmp(arguments[3], "req") == 0;
    signal(SIGTERM, leave);
    setvbuf(stdout, NULL, _IOLBF, 0);
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, req ? ZMQ_REQ : ZMQ_DEALER);
    int linger = 0, timeout = TIMEOUT_MS;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    require(zmq_connect(socket, endpoint) == 0, "the endpoint cannot be connected to");
    puts("{\"event\":\"ready\"}");
    for (int i = 4; i < count; i++) {
        if (!req) send_frame(socket, "", 0, ZMQ_SNDMORE);
        send_frame(socket, "MDPC01", 6, ZMQ_SNDMORE);
        send_frame(socket, service, strlen(service), ZMQ_SNDMORE);
        send_body(socket, arguments[i]);
        if (!req) expect(socket, "");
        expect(socket, "MDPC01");
        expect(socket, service);
        print_body(socket);
    }
    zmq_close(socket);
    zmq_ctx_term(context);
}
