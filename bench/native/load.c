// Clients of MDP/0.1 that keep requests outstanding and measure the latency of each. ../system.ts
// describes the arguments and the output. Two more arguments:
//
//   --no-envelope        the correlation begins the body, for brokers that keep no envelope
//   --length-prefixed    neither MDP nor ZMTP: [length, 4 bytes] [correlation] [body]
//
// A request is [correlation, 8 bytes] [] [MDPC01] [service] [body], and so is its reply. The
// correlation is the number of the request. The number modulo `outstanding` is its slot, the number
// modulo `services` is its service, and the slot modulo `clients` is its connection.

#include "measure.h"
#include "zmtp.h"
#include <arpa/inet.h>

enum { CORRELATION = 8 };
static const int64_t TIMEOUT_NS = 10000000000;

struct slot { // An outstanding request.
    uint64_t number;
    int64_t sent_at;
    int open;
};

static const char *endpoint;
static long clients = 1, outstanding = 1, bytes = 64, services = 1, no_envelope, length_prefixed;
static double warmup = 1, seconds = 5;
static int epoll;
static struct connection *connections;
static struct slot *slots;
static struct measure measure;
static char (*names)[16]; // Service names.
static char *body;
static int ending; // Whether the program sends no further request.

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
        {"length-prefixed", FLAG, &length_prefixed, 0},
        {0},
    });
    if (no_envelope && bytes < CORRELATION)
        fail("with --no-envelope, --bytes must be at least %d", CORRELATION);
}

static const char *service_of(uint64_t number) {
    return names[services == 1 ? 0 : number % (uint64_t)services];
}

static void put_request(struct buffer *out, uint64_t number) {
    if (length_prefixed) {
        uint32_t length = htonl((uint32_t)(CORRELATION + bytes));
        append(out, &length, sizeof length);
        append(out, &number, CORRELATION);
        append(out, body, (size_t)bytes);
        return;
    }
    if (no_envelope) memcpy(body, &number, CORRELATION);
    else put_frame(out, &number, CORRELATION, MORE);
    put_text(out, "", MORE);
    put_text(out, "MDPC01", MORE);
    put_text(out, service_of(number), MORE);
    put_frame(out, body, (size_t)bytes, 0);
}

static void send_request(uint64_t number, int64_t now) {
    uint64_t slot = number % (uint64_t)outstanding;
    slots[slot] = (struct slot){number, now, 1};
    put_request(&connections[slot % (uint64_t)clients].out, number);
}

// The correlation of a reply, or null if the reply is wrong.
static char *checked(struct message *reply) {
    struct frame *frames = reply->frames;
    int last = no_envelope ? 3 : 4;
    size_t whole = (size_t)(4 + CORRELATION + bytes);
    if (length_prefixed) return reply->whole.size == whole ? reply->whole.bytes + 4 : NULL;
    if (reply->count != last + 1 || frames[last].size != (size_t)bytes) return NULL;
    if (!is(frames[last - 3], "") || !is(frames[last - 2], "MDPC01")) return NULL;
    if (no_envelope) return frames[last].bytes;
    return frames[0].size == CORRELATION ? frames[0].bytes : NULL;
}

// Closes the slot of the request that this reply answers. Null if there is none.
static struct slot *close_slot(struct connection *connection, struct message *reply) {
    uint64_t number;
    const char *correlation = checked(reply);
    if (!correlation) return NULL;
    memcpy(&number, correlation, CORRELATION);
    uint64_t index = number % (uint64_t)outstanding;
    struct slot *slot = &slots[index];
    if (!slot->open || slot->number != number) return NULL;
    if (connection != &connections[index % (uint64_t)clients]) return NULL;
    struct frame service = reply->frames[no_envelope ? 2 : 3];
    if (!length_prefixed && !is(service, service_of(number))) return NULL;
    slot->open = 0;
    return slot;
}

static int next_reply(struct connection *connection, struct message *reply) {
    uint32_t length;
    if (!length_prefixed) return next_message(connection, reply);
    if (pending(&connection->in) < sizeof length) return 0;
    char *begin = connection->in.bytes + connection->in.begin;
    memcpy(&length, begin, sizeof length);
    reply->whole = (struct frame){begin, sizeof length + ntohl(length)};
    if (pending(&connection->in) < reply->whole.size) return 0;
    consume(&connection->in, reply->whole.size);
    return 1;
}

// Returns how many requests were answered.
static long take_replies(struct connection *connection, int64_t now) {
    struct message reply;
    long count = 0;
    while (next_reply(connection, &reply)) {
        struct slot *slot = close_slot(connection, &reply);
        if (!slot) {
            measure.errors++;
            continue;
        }
        count++;
        if (ending) continue;
        answered(&measure, now - slot->sent_at);
        send_request(slot->number + (uint64_t)outstanding, now);
    }
    return count;
}

static long turn(int64_t until) {
    struct epoll_event events[EVENTS];
    long count = 0;
    int ready = wait_for(epoll, events, until);
    for (int i = 0; i < ready; i++) {
        struct connection *connection = events[i].data.ptr;
        if (events[i].events & ~(uint32_t)EPOLLOUT) {
            fill(connection);
            count += take_replies(connection, now_ns());
        }
        flush(connection);
    }
    return count;
}

static void run(void) {
    int64_t now = now_ns();
    start(&measure, warmup, seconds);
    for (long slot = 0; slot < outstanding; slot++) send_request((uint64_t)slot, now);
    for (long i = 0; i < clients; i++) flush(&connections[i]);
    while (!over(&measure, now = now_ns())) turn(measure.begun ? measure.end_at : measure.begin_at);
    ending = 1;
    long open = outstanding;
    for (int64_t deadline = now + TIMEOUT_NS; open > 0 && now_ns() < deadline;)
        open -= turn(deadline);
    measure.errors += open;
    report(&measure, now);
}

int main(int count, char **given) {
    read_arguments(count, given);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    slots = allocate((size_t)outstanding, sizeof *slots);
    body = allocate((size_t)bytes + 1, 1);
    names = allocate((size_t)services, sizeof *names);
    connections = allocate((size_t)clients, sizeof *connections);
    for (long i = 0; i < services; i++)
        snprintf(names[i], sizeof *names, services == 1 ? "echo" : "s%ld", i);
    for (long i = 0; i < clients; i++) {
        if (length_prefixed) connect_to(&connections[i], endpoint);
        else greet(&connections[i], endpoint);
        unblock(&connections[i], epoll);
    }
    run();
}
