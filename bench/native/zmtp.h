// ZMTP 3.0 (23/ZMTP) with the NULL mechanism, as a DEALER that connects.
//
// The load does not use libzmq, which needs 2 µs of CPU time per request with its reply. On two
// cores the load would then be the limit, and not the broker.

#pragma once

#include "connection.h"

enum { GREETING = 64, FRAMES = 16, MORE = 1, LONG = 2, COMMAND = 4 };

struct frame {
    char *bytes;
    size_t size;
};

struct message {
    int count; // Number of frames. Only the first FRAMES are kept.
    struct frame frames[FRAMES];
    struct frame whole; // The received bytes, with flags and lengths.
};

static inline void put_frame(struct buffer *out, const void *bytes, size_t size, int flags) {
    char *at = room(out, size + 9);
    size_t head = size > 255 ? 9 : 2;
    uint64_t length = __builtin_bswap64(size);
    at[0] = (char)(size > 255 ? flags | LONG : flags);
    if (size > 255) memcpy(at + 1, &length, 8);
    else at[1] = (char)size;
    memcpy(at + head, bytes, size);
    out->end += head + size;
}

static inline void put_text(struct buffer *out, const char *text, int flags) {
    put_frame(out, text, strlen(text), flags);
}

// The size of the frame with its head, or 0 if it is incomplete.
static inline size_t frame_at(char *at, size_t left, struct frame *frame) {
    uint64_t length;
    size_t head = left > 0 && (*at & LONG) ? 9 : 2;
    if (left < head) return 0;
    if (head == 9) memcpy(&length, at + 1, 8);
    frame->size = head == 9 ? __builtin_bswap64(length) : (unsigned char)at[1];
    frame->bytes = at + head;
    if (frame->size > 1UL << 40) fail("a frame of %zu bytes", frame->size);
    return left - head < frame->size ? 0 : head + frame->size;
}

// Answers a PING.
static inline void handle_command(struct connection *connection, struct frame command) {
    char pong[64] = "\4PONG";
    if (command.size < 7 || memcmp(command.bytes, "\4PING", 5) != 0) return;
    size_t context = command.size - 7; // After the name and the time to live.
    if (context > sizeof pong - 5) context = sizeof pong - 5;
    memcpy(pong + 5, command.bytes + 7, context);
    put_frame(&connection->out, pong, 5 + context, COMMAND);
}

/** Takes a message out of `in`, if a whole one is there. It is valid until `fill`. */
static inline int next_message(struct connection *connection, struct message *message) {
    char *begin = connection->in.bytes + connection->in.begin, *at = begin;
    char *end = connection->in.bytes + connection->in.end;
    message->count = 0;
    for (;;) {
        struct frame frame;
        size_t size = frame_at(at, (size_t)(end - at), &frame);
        if (size == 0) return 0;
        int flags = *at;
        at += size;
        if (flags & COMMAND) { // Commands come between messages only.
            handle_command(connection, frame);
            consume(&connection->in, size);
            begin = at;
            continue;
        }
        if (message->count < FRAMES) message->frames[message->count] = frame;
        message->count++;
        if (flags & MORE) continue;
        message->whole = (struct frame){begin, (size_t)(at - begin)};
        consume(&connection->in, message->whole.size);
        return 1;
    }
}

static inline int is(struct frame frame, const char *text) {
    return frame.size == strlen(text) && memcmp(frame.bytes, text, frame.size) == 0;
}

static inline void receive_exactly(int file, void *bytes, size_t size) {
    ssize_t count = recv(file, bytes, size, MSG_WAITALL);
    if (count != (ssize_t)size) fail("the peer does not speak ZMTP");
}

static inline void send_exactly(int file, const void *bytes, size_t size) {
    require(send(file, bytes, size, MSG_NOSIGNAL) == (ssize_t)size, "a connection broke");
}

/** Connects, and returns when the peer has sent READY. */
static inline void greet(struct connection *connection, const char *endpoint) {
    char greeting[GREETING] = "\xff\0\0\0\0\0\0\0\0\x7f\3\0NULL", theirs[2 + 255];
    static const char READY[] = "\4\x1c\5READY\13Socket-Type\0\0\0\6DEALER";
    connect_to(connection, endpoint);
    send_exactly(connection->file, greeting, GREETING);
    receive_exactly(connection->file, theirs, GREETING);
    if (memcmp(theirs + 12, "NULL", 5) != 0) fail("the peer does not accept the NULL mechanism");
    send_exactly(connection->file, READY, sizeof READY - 1);
    receive_exactly(connection->file, theirs, 2);
    receive_exactly(connection->file, theirs + 2, (unsigned char)theirs[1]);
    if (theirs[0] != COMMAND || memcmp(theirs + 2, "\5READY", 6) != 0)
        fail("the peer did not send READY");
}
