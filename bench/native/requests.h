// The requests of plain_broker.c: places that are used again, and queues of these places.

#pragma once

#include "program.h"
#include <zmq.h>

enum { PARTS = 4, CHUNK = 4096, CHUNKS = 1 << 16 };

struct request {
    uint32_t client;
    uint32_t uses;         // How many requests had this place.
    uint32_t next;         // The free place after this.
    int envelope, parts;   // Frames: those before the empty one, and with these the body's.
    struct worker *worker; // Null: it is queued, or there is none.
    zmq_msg_t frames[PARTS];
};

struct queue { // A ring.
    uint32_t *places;
    size_t first, count, capacity;
};

static struct request *chunks[CHUNKS]; // Never moved, since a zmq_msg_t may not be.
static uint32_t places, next_free = UINT32_MAX;

static inline struct request *at(uint32_t place) {
    return &chunks[place / CHUNK][place % CHUNK];
}

static inline uint32_t free_place(void) {
    uint32_t place = next_free;
    if (place != UINT32_MAX) {
        next_free = at(place)->next;
        return place;
    }
    if (places == (uint32_t)CHUNK * CHUNKS) fail("too many requests");
    if (places % CHUNK == 0) chunks[places / CHUNK] = allocate(CHUNK, sizeof(struct request));
    for (int i = 0; i < PARTS; i++) zmq_msg_init(&at(places)->frames[i]);
    return places++;
}

static inline void give_back(uint32_t place) {
    struct request *request = at(place);
    for (int i = 0; i < request->parts; i++) {
        zmq_msg_close(&request->frames[i]);
        zmq_msg_init(&request->frames[i]);
    }
    request->uses++;
    request->worker = NULL;
    request->next = next_free;
    next_free = place;
}

static inline void push(struct queue *queue, uint32_t place) {
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity ? 2 * queue->capacity : 64;
        uint32_t *grown = allocate(capacity, sizeof *grown);
        for (size_t i = 0; i < queue->count; i++)
            grown[i] = queue->places[(queue->first + i) & (queue->capacity - 1)];
        free(queue->places);
        *queue = (struct queue){grown, 0, queue->count, capacity};
    }
    queue->places[(queue->first + queue->count++) & (queue->capacity - 1)] = place;
}

static inline uint32_t pop(struct queue *queue) {
    uint32_t place = queue->places[queue->first];
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    return place;
}
