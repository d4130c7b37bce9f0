// A TCP connection that does not block, with a buffer per direction. The caller fills `out` and
// calls `flush` once per turn of its loop, so that one write sends as much as possible.

#pragma once

#include "program.h"
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <fcntl.h>

enum { FIRST_CAPACITY = 4096, READ_AT_ONCE = 1 << 18, EVENTS = 256 };

struct buffer {
    char *bytes;
    size_t begin, end, capacity; // Data is from `begin` to `end`.
};

struct connection {
    int file, epoll;
    int blocked; // Whether the socket accepts no more for now.
    struct buffer in, out;
};

/** Makes room for `size` bytes at the end, and returns where they go. */
static inline char *room(struct buffer *buffer, size_t size) {
    if (buffer->capacity - buffer->end >= size) return buffer->bytes + buffer->end;
    size_t held = buffer->end - buffer->begin;
    if (buffer->begin > 0) memmove(buffer->bytes, buffer->bytes + buffer->begin, held);
    buffer->begin = 0;
    buffer->end = held;
    if (buffer->capacity - held < size) {
        size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
        while (capacity - held < size) capacity *= 2;
        buffer->bytes = realloc(buffer->bytes, buffer->capacity = capacity);
        if (!buffer->bytes) fail("out of memory");
    }
    return buffer->bytes + buffer->end;
}

static inline void append(struct buffer *buffer, const void *bytes, size_t size) {
    memcpy(room(buffer, size), bytes, size);
    buffer->end += size;
}

static inline size_t pending(const struct buffer *buffer) {
    return buffer->end - buffer->begin;
}

static inline void consume(struct buffer *buffer, size_t size) {
    buffer->begin += size;
    if (buffer->begin == buffer->end) buffer->begin = buffer->end = 0;
}

static inline void watch(struct connection *connection, int operation) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (connection->blocked) event.events |= EPOLLOUT;
    int result = epoll_ctl(connection->epoll, operation, connection->file, &event);
    require(result == 0, "epoll_ctl failed");
}

/** Reads the bytes that have arrived, up to a bound. */
static inline void fill(struct connection *connection) {
    struct buffer *in = &connection->in;
    // Grows with the traffic, so that a thousand quiet connections stay small.
    size_t size = in->capacity - pending(in);
    if (size < in->capacity / 2 || size == 0) size = in->capacity ? in->capacity : FIRST_CAPACITY;
    if (size > READ_AT_ONCE) size = READ_AT_ONCE;
    ssize_t count = recv(connection->file, room(in, size), size, 0);
    if (count == 0) fail("the peer closed a connection");
    if (count < 0 && errno != EAGAIN) fail("a connection broke: %s", strerror(errno));
    if (count > 0) in->end += (size_t)count;
    if (count == (ssize_t)size && size < READ_AT_ONCE) room(in, size + 1);
}

static inline void flush(struct connection *connection) {
    struct buffer *out = &connection->out;
    int blocked = 0;
    while (pending(out) > 0 && !blocked) {
        ssize_t count = send(connection->file, out->bytes + out->begin, pending(out), MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN) fail("a connection broke: %s", strerror(errno));
        blocked = count < 0;
        if (count > 0) consume(out, (size_t)count);
    }
    if (blocked == connection->blocked) return;
    connection->blocked = blocked;
    watch(connection, EPOLL_CTL_MOD);
}

/** Connects to an endpoint such as tcp://127.0.0.1:5555. The socket blocks until `unblock`. */
static inline void connect_to(struct connection *connection, const char *endpoint) {
    char host[128], port[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address;
    if (!endpoint) fail("--endpoint is needed");
    int parts = sscanf(endpoint, "tcp://%127[^:]:%15[0-9]", host, port);
    if (parts != 2 || getaddrinfo(host, port, &hints, &address))
        fail("%s is not a TCP endpoint", endpoint);
    connection->file = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(connection->file >= 0, "cannot open a socket");
    if (connect(connection->file, address->ai_addr, address->ai_addrlen) < 0)
        fail("cannot connect to %s: %s", endpoint, strerror(errno));
    setsockopt(connection->file, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    freeaddrinfo(address);
}

static inline void unblock(struct connection *connection, int epoll) {
    require(fcntl(connection->file, F_SETFL, O_NONBLOCK) == 0, "cannot make a socket non-blocking");
    connection->epoll = epoll;
    watch(connection, EPOLL_CTL_ADD);
}

/** Waits for events until `until` (ns) at most, and returns their number. */
static inline int wait_for(int epoll, struct epoll_event *events, int64_t until) {
    int64_t left = (until - now_ns() + 999999) / 1000000;
    int count = epoll_wait(epoll, events, EVENTS, left > 0 ? (int)left : 0);
    require(count >= 0 || errno == EINTR, "polling failed");
    return count > 0 ? count : 0;
}
