// Echo workers of MDP/0.1 in one process: `--workers` connections, each with the next service of
// `--services`, from number `--first` on. They read all that has arrived, then answer it.
//
//   --credit N       requests in flight per worker, announced in READY; 0: announce none
//   --echo-frames    no protocol: return each message as it is

#include "zmtp.h"

static const int64_t BEAT_NS = 2500000000;

static const char *endpoint;
static long workers = 1, services = 1, first, credit, echo_frames;
static struct connection *connections;

static void read_arguments(int count, char **given) {
    parse(count, given, (struct argument[]){
        {"endpoint", TEXT, &endpoint, 0},
        {"workers", WHOLE, &workers, 1},
        {"services", WHOLE, &services, 1},
        {"first", WHOLE, &first, 0},
        {"credit", WHOLE, &credit, 0},
        {"echo-frames", FLAG, &echo_frames, 0},
        {0},
    });
}

static void put_command(struct buffer *out, const char *command, int flags) {
    put_text(out, "", MORE);
    put_text(out, "MDPW01", MORE);
    put_text(out, command, flags);
}

static void put_ready(struct buffer *out, long number) {
    char text[16];
    put_command(out, "\1", MORE);
    snprintf(text, sizeof text, services == 1 ? "echo" : "s%ld", number % services);
    put_text(out, text, credit ? MORE : 0);
    if (!credit) return;
    snprintf(text, sizeof text, "%ld", credit);
    put_text(out, text, 0);
}

// A REPLY is the REQUEST with another command: the other frames stay.
static void answer(struct connection *connection, struct message *message) {
    struct frame *frames = message->frames;
    if (!echo_frames) {
        if (message->count < 3 || !is(frames[0], "") || !is(frames[1], "MDPW01")) return;
        if (is(frames[2], "\5")) fail("the broker sent DISCONNECT");
        if (!is(frames[2], "\2")) return;
        frames[2].bytes[0] = 3;
    }
    append(&connection->out, message->whole.bytes, message->whole.size);
}

static void serve(struct connection *connection) {
    struct message message;
    fill(connection);
    while (next_message(connection, &message)) answer(connection, &message);
}

static void beat(void) {
    for (long i = 0; i < workers; i++) {
        put_command(&connections[i].out, "\4", 0);
        flush(&connections[i]);
    }
}

int main(int count, char **given) {
    struct epoll_event events[EVENTS];
    read_arguments(count, given);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = allocate((size_t)workers, sizeof *connections);
    for (long i = 0; i < workers; i++) {
        greet(&connections[i], endpoint);
        unblock(&connections[i], epoll);
        if (!echo_frames) put_ready(&connections[i].out, first + i);
        flush(&connections[i]);
    }
    puts("ready");
    fflush(stdout);
    for (int64_t beat_at = now_ns() + BEAT_NS;;) {
        int ready = wait_for(epoll, events, beat_at);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & ~(uint32_t)EPOLLOUT) serve(connection);
            flush(connection);
        }
        if (now_ns() < beat_at) continue;
        if (!echo_frames) beat();
        beat_at = now_ns() + BEAT_NS;
    }
}
