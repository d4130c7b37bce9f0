// A broker of MDP/0.1 with the design of mdbroker, the ZeroMQ Guide's broker in C on czmq. It has
// one ROUTER, services by name, and workers by their identity in hex. Each service has a list of
// requests and a list of idle workers; the broker has a list of all idle workers. One request at a
// time; 8/MMI.
//
// Like the Guide's, it polls once per message, keeps no envelope, and loses a request with its
// worker. Unlike the Guide's, its socket's queues have no bound. A ROUTER drops messages beyond the
// bound.

#include "program.h"
#include <czmq.h>

enum { INTERVAL_MS = 2500, LIVENESS = 3 };

typedef struct {
    char *name;
    zlist_t *requests; // Of zmsg_t: [client] [] [body].
    zlist_t *idle;     // Its workers without a request.
    size_t workers;
} service_t;

typedef struct {
    char *identity;    // In hex.
    zframe_t *address;
    service_t *service;
    int64_t expiry;
} worker_t;

static zsock_t *peers;
static zhash_t *services, *workers;
static zlist_t *idle; // Workers without a request, of all services.

static void free_worker(void *item) {
    worker_t *worker = item;
    zframe_destroy(&worker->address);
    free(worker->identity);
    free(worker);
}

static service_t *service_named(zframe_t *frame) {
    char *name = zframe_strdup(frame);
    service_t *service = zhash_lookup(services, name);
    if (service) {
        free(name);
        return service;
    }
    service = allocate(1, sizeof *service);
    service->name = name;
    service->requests = zlist_new();
    service->idle = zlist_new();
    zhash_insert(services, name, service);
    return service;
}

// Copies the body, as the Guide's broker does.
static void send_command(zframe_t *address, const char *command, zmsg_t *body) {
    zmsg_t *message = body ? zmsg_dup(body) : zmsg_new();
    zmsg_pushstr(message, command);
    zmsg_pushstr(message, "MDPW01");
    zmsg_pushmem(message, "", 0);
    zframe_t *to = zframe_dup(address);
    zmsg_prepend(message, &to);
    zmsg_send(&message, peers);
}

// The message begins with the client's address and an empty frame.
static void send_reply(zmsg_t *message, const char *service) {
    zframe_t *client = zmsg_unwrap(message);
    zmsg_pushstr(message, service);
    zmsg_pushstr(message, "MDPC01");
    zmsg_wrap(message, client);
    zmsg_send(&message, peers);
}

static void remove_worker(worker_t *worker) {
    zlist_remove(worker->service->idle, worker);
    zlist_remove(idle, worker);
    worker->service->workers--;
    zhash_delete(workers, worker->identity);
}

// The list is roughly in the order of expiry.
static void purge(void) {
    worker_t *worker;
    while ((worker = zlist_first(idle)) && zclock_mono() >= worker->expiry)
        remove_worker(worker);
}

static void dispatch(service_t *service) {
    purge();
    while (zlist_size(service->idle) > 0 && zlist_size(service->requests) > 0) {
        worker_t *worker = zlist_pop(service->idle);
        zmsg_t *request = zlist_pop(service->requests);
        zlist_remove(idle, worker);
        send_command(worker->address, "\2", request);
        zmsg_destroy(&request);
    }
}

static void add_idle(worker_t *worker) {
    worker->expiry = zclock_mono() + INTERVAL_MS * LIVENESS;
    zlist_append(idle, worker);
    zlist_append(worker->service->idle, worker);
    dispatch(worker->service);
}

static void manage(zframe_t *name, zmsg_t *message) {
    const char *status = "501";
    if (zframe_streq(name, "mmi.service")) {
        char *requested = zframe_strdup(zmsg_last(message));
        service_t *service = zhash_lookup(services, requested);
        status = service && service->workers > 0 ? "200" : "404";
        free(requested);
    }
    zframe_reset(zmsg_last(message), status, strlen(status));
    char *text = zframe_strdup(name);
    send_reply(message, text);
    free(text);
}

static void from_client(zframe_t *sender, zmsg_t *message) {
    zframe_t *name = zmsg_pop(message);
    zmsg_wrap(message, zframe_dup(sender));
    if (zframe_size(name) >= 4 && memcmp(zframe_data(name), "mmi.", 4) == 0) {
        manage(name, message);
    } else {
        service_t *service = service_named(name);
        zlist_append(service->requests, message);
        dispatch(service);
    }
    zframe_destroy(&name);
}

static void register_worker(zframe_t *sender, char *identity, zframe_t *name) {
    worker_t *worker = allocate(1, sizeof *worker);
    worker->identity = strdup(identity);
    worker->address = zframe_dup(sender);
    worker->service = service_named(name);
    worker->service->workers++;
    zhash_insert(workers, identity, worker);
    zhash_freefn(workers, identity, free_worker);
    add_idle(worker);
}

static void from_worker(zframe_t *sender, zmsg_t *message) {
    zframe_t *command = zmsg_pop(message);
    char *identity = zframe_strhex(sender);
    worker_t *worker = zhash_lookup(workers, identity);
    if (zframe_streq(command, "\1") && !worker && zmsg_size(message) > 0) {
        register_worker(sender, identity, zmsg_first(message));
    } else if (zframe_streq(command, "\3") && worker && zmsg_size(message) > 2) {
        send_reply(message, worker->service->name);
        message = NULL;
        add_idle(worker);
    } else if (zframe_streq(command, "\4") && worker) {
        worker->expiry = zclock_mono() + INTERVAL_MS * LIVENESS;
    } else {
        if (!zframe_streq(command, "\5")) send_command(sender, "\5", NULL);
        if (worker) remove_worker(worker);
    }
    free(identity);
    zframe_destroy(&command);
    zmsg_destroy(&message);
}

static void receive(void) {
    zmsg_t *message = zmsg_recv(peers);
    if (!message) fail("cannot read a message");
    zframe_t *sender = zmsg_pop(message), *empty = zmsg_pop(message), *header = zmsg_pop(message);
    size_t rest = zmsg_size(message);
    if (header && zframe_streq(header, "MDPC01") && rest > 1) from_client(sender, message);
    else if (header && zframe_streq(header, "MDPW01") && rest > 0) from_worker(sender, message);
    else zmsg_destroy(&message);
    zframe_destroy(&sender);
    zframe_destroy(&empty);
    zframe_destroy(&header);
}

int main(int count, char **given) {
    const char *endpoint = NULL;
    parse(count, given, (struct argument[]){{"endpoint", TEXT, &endpoint, 0}, {0}});
    if (!endpoint) fail("--endpoint is needed");
    zsys_handler_set(NULL); // The default: a signal ends the process at once.
    peers = zsock_new(ZMQ_ROUTER);
    zsock_set_sndhwm(peers, 0);
    zsock_set_rcvhwm(peers, 0);
    if (zsock_bind(peers, "%s", endpoint) < 0) {
        zsock_destroy(&peers); // Otherwise czmq prints a message too.
        fail("cannot listen on %s", endpoint);
    }
    services = zhash_new();
    workers = zhash_new();
    idle = zlist_new();
    for (int64_t beat_at = zclock_mono() + INTERVAL_MS;;) {
        zmq_pollitem_t item = {zsock_resolve(peers), 0, ZMQ_POLLIN, 0};
        require(zmq_poll(&item, 1, INTERVAL_MS) >= 0, "polling failed");
        if (item.revents & ZMQ_POLLIN) receive();
        if (zclock_mono() < beat_at) continue;
        purge();
        for (worker_t *worker = zlist_first(idle); worker; worker = zlist_next(idle))
            send_command(worker->address, "\4", NULL);
        beat_at = zclock_mono() + INTERVAL_MS;
    }
}
