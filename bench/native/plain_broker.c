// A minimal broker of MDP/0.1 on libzmq, to show how fast a broker can be that does little. It
// moves frames and never copies them. Workers may announce a credit, as a frame after READY's
// service.
//
// It loses a request with its worker, has no bounds, keeps services for ever, and supports only the
// identities that libzmq makes. The client frame of a REQUEST is the slot of the request, so its
// reply needs no search.

#include "requests.h"
#include "table.h"
#include <sys/queue.h>

enum { READY = 1, REQUEST, REPLY, HEARTBEAT, DISCONNECT };
enum { FRAMES = 16, IDENTITY = 5, TICK_MS = 100, AT_ONCE = 1000 };
static const int64_t BEAT_NS = 2500000000, LEASE_NS = 3 * 2500000000;

TAILQ_HEAD(workers, worker);

struct service {
    char name[256];
    struct workers waiting; // Workers with credit left, the longest idle first.
    long workers;
    struct queue queue;
};

struct worker {
    uint32_t identity;
    struct service *service;
    long credit; // Left.
    int64_t expiry, beat_at;
    TAILQ_ENTRY(worker) waiting, known;
};

static void *peers;
static struct table services, workers;
static struct workers known = TAILQ_HEAD_INITIALIZER(known);
static zmq_msg_t incoming[FRAMES]; // The frames of the last message.
static int64_t now;

static void send_bytes(const void *bytes, size_t size, int flags) {
    require(zmq_send(peers, bytes, size, flags) >= 0, "cannot send a frame");
}

static void send_frames(zmq_msg_t *frames, int count, int flags) {
    for (int i = 0; i < count; i++) {
        int size = zmq_msg_send(&frames[i], peers, i < count - 1 ? ZMQ_SNDMORE : flags);
        require(size >= 0, "cannot send a frame");
    }
}

static void send_head(uint32_t identity, const char *header) {
    char frame[IDENTITY] = {0};
    memcpy(frame + 1, &identity, sizeof identity);
    send_bytes(frame, IDENTITY, ZMQ_SNDMORE);
    if (!header) return;
    send_bytes("", 0, ZMQ_SNDMORE);
    send_bytes(header, 6, ZMQ_SNDMORE);
}

static void send_command(uint32_t worker, char command, int flags) {
    send_head(worker, "MDPW01");
    send_bytes(&command, 1, flags);
}

static void send_reply(uint32_t client, zmq_msg_t *envelope, int count, const char *service) {
    send_head(client, NULL);
    send_frames(envelope, count, ZMQ_SNDMORE);
    send_bytes("", 0, ZMQ_SNDMORE);
    send_bytes("MDPC01", 6, ZMQ_SNDMORE);
    send_bytes(service, strlen(service), ZMQ_SNDMORE);
}

static void dispatch(struct service *service) {
    struct worker *worker;
    while (service->queue.count > 0 && (worker = TAILQ_FIRST(&service->waiting))) {
        uint32_t slot = pop(&service->queue);
        TAILQ_REMOVE(&service->waiting, worker, waiting);
        if (--worker->credit > 0) TAILQ_INSERT_TAIL(&service->waiting, worker, waiting);
        struct request *request = at(slot);
        uint32_t client[] = {slot, request->uses};
        request->worker = worker;
        worker->beat_at = now + BEAT_NS;
        send_command(worker->identity, REQUEST, ZMQ_SNDMORE);
        send_bytes(client, sizeof client, ZMQ_SNDMORE);
        send_bytes("", 0, ZMQ_SNDMORE);
        send_frames(request->frames + request->envelope, request->parts - request->envelope, 0);
    }
}

// Names with the same 64-bit FNV-1a hash would be one service.
static struct service *service_of(zmq_msg_t *frame) {
    uint64_t hash = 0xcbf29ce484222325;
    const unsigned char *name = zmq_msg_data(frame);
    size_t size = zmq_msg_size(frame);
    for (size_t i = 0; i < size; i++) hash = (hash ^ name[i]) * 0x100000001b3;
    struct service *service = lookup(&services, hash | 1);
    if (service || size >= sizeof service->name) return service;
    service = allocate(1, sizeof *service);
    memcpy(service->name, name, size);
    TAILQ_INIT(&service->waiting);
    insert(&services, hash | 1, service);
    return service;
}

static void from_client(
    uint32_t client, zmq_msg_t *envelope, int count, zmq_msg_t *name, int body
) {
    struct service *service = service_of(name);
    if (!service || body < 1 || count + body > PARTS) return;
    if (strcmp(service->name, "mmi.service") == 0) {
        struct service *requested = service_of(name + 1);
        send_reply(client, envelope, count, service->name);
        send_bytes(requested && requested->workers ? "200" : "404", 3, 0);
        return;
    }
    uint32_t slot = free_slot();
    struct request *request = at(slot);
    request->client = client;
    request->envelope = count;
    request->parts = count + body;
    for (int i = 0; i < count; i++) zmq_msg_move(&request->frames[i], &envelope[i]);
    for (int i = 0; i < body; i++) zmq_msg_move(&request->frames[count + i], &name[1 + i]);
    push(&service->queue, slot);
    dispatch(service);
}

static void remove_worker(struct worker *worker) {
    if (worker->credit > 0) TAILQ_REMOVE(&worker->service->waiting, worker, waiting);
    TAILQ_REMOVE(&known, worker, known);
    worker->service->workers--;
    forget(&workers, worker->identity);
    for (uint32_t slot = 0; slot < slots; slot++)
        if (at(slot)->worker == worker) give_back(slot);
    free(worker);
}

static void register_worker(uint32_t identity, zmq_msg_t *frames, int count) {
    char digits[16] = "";
    if (count < 1) return;
    struct worker *worker = allocate(1, sizeof *worker);
    worker->identity = identity;
    worker->service = service_of(&frames[0]);
    if (!worker->service) fail("a service name is too long");
    if (count > 1 && zmq_msg_size(&frames[1]) < sizeof digits)
        memcpy(digits, zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1]));
    worker->credit = atol(digits) > 0 ? atol(digits) : 1;
    worker->expiry = now + LEASE_NS;
    worker->beat_at = now + BEAT_NS;
    worker->service->workers++;
    insert(&workers, identity, worker);
    TAILQ_INSERT_TAIL(&known, worker, known);
    TAILQ_INSERT_TAIL(&worker->service->waiting, worker, waiting);
    dispatch(worker->service);
}

static void finish(struct worker *worker, zmq_msg_t *frames, int count) {
    uint32_t client[2];
    if (count < 3 || zmq_msg_size(&frames[0]) != sizeof client) return;
    memcpy(client, zmq_msg_data(&frames[0]), sizeof client);
    struct request *request = client[0] < slots ? at(client[0]) : NULL;
    if (!request || request->worker != worker || request->uses != client[1]) return;
    send_reply(request->client, request->frames, request->envelope, worker->service->name);
    send_frames(frames + 2, count - 2, 0);
    give_back(client[0]);
    if (worker->credit++ == 0) TAILQ_INSERT_TAIL(&worker->service->waiting, worker, waiting);
    dispatch(worker->service);
}

static void from_worker(uint32_t identity, zmq_msg_t *frames, int count) {
    struct worker *worker = lookup(&workers, identity);
    int command = zmq_msg_size(&frames[0]) == 1 ? *(char *)zmq_msg_data(&frames[0]) : 0;
    if (worker) worker->expiry = now + LEASE_NS;
    if (command == READY && !worker) register_worker(identity, frames + 1, count - 1);
    else if (command == REPLY && worker) finish(worker, frames + 1, count - 1);
    else if (command != HEARTBEAT || !worker) {
        if (worker) remove_worker(worker);
        if (command != DISCONNECT) send_command(identity, DISCONNECT, 0);
    }
}

// Receives a message. Returns 0 if there is none.
static int receive(void) {
    uint32_t identity;
    int count = 0, empty = 1, more = 1;
    while (more) {
        zmq_msg_t *frame = &incoming[count < FRAMES ? count : FRAMES - 1];
        if (zmq_msg_recv(frame, peers, ZMQ_DONTWAIT) < 0) {
            require(errno == EAGAIN && count == 0, "cannot read a frame");
            return 0;
        }
        more = zmq_msg_more(frame);
        count++;
    }
    if (count > FRAMES || zmq_msg_size(&incoming[0]) != IDENTITY) return 1;
    memcpy(&identity, (char *)zmq_msg_data(&incoming[0]) + 1, sizeof identity);
    while (empty < count && zmq_msg_size(&incoming[empty]) > 0) empty++;
    zmq_msg_t *header = &incoming[empty + 1];
    if (count - empty < 3 || zmq_msg_size(header) != 6) return 1;
    if (memcmp(zmq_msg_data(header), "MDPC01", 6) == 0)
        from_client(identity, incoming + 1, empty - 1, header + 1, count - empty - 3);
    else if (memcmp(zmq_msg_data(header), "MDPW01", 6) == 0 && empty == 1)
        from_worker(identity, header + 1, count - 3);
    return 1;
}

static void tick(void) {
    for (struct worker *next, *worker = TAILQ_FIRST(&known); worker; worker = next) {
        next = TAILQ_NEXT(worker, known);
        if (now >= worker->expiry) {
            remove_worker(worker);
        } else if (now >= worker->beat_at) {
            worker->beat_at = now + BEAT_NS;
            send_command(worker->identity, HEARTBEAT, 0);
        }
    }
}

int main(int count, char **given) {
    const char *endpoint = NULL;
    parse(count, given, (struct argument[]){{"endpoint", TEXT, &endpoint, 0}, {0}});
    if (!endpoint) fail("--endpoint is needed");
    peers = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
    zmq_setsockopt(peers, ZMQ_SNDHWM, &(int){0}, sizeof(int));
    zmq_setsockopt(peers, ZMQ_RCVHWM, &(int){0}, sizeof(int));
    if (zmq_bind(peers, endpoint) < 0) fail("cannot listen on %s", endpoint);
    for (int i = 0; i < FRAMES; i++) zmq_msg_init(&incoming[i]);
    for (int64_t tick_at = 0;;) {
        zmq_pollitem_t item = {peers, 0, ZMQ_POLLIN, 0};
        require(zmq_poll(&item, 1, TICK_MS) >= 0, "polling failed");
        now = now_ns();
        for (int i = 0; i < AT_ONCE && receive(); i++) continue;
        if (now < tick_at) continue;
        tick();
        tick_at = now + TICK_MS * INT64_C(1000000);
    }
}
