// The requests of plain_broker.c: numbered slots that are reused, and queues of slot numbers.

#pragma once

#include "program.h"
#include <zmq.h>

enum { PARTS = 4, CHUNK = 4096, CHUNKS = 1 << 16 };

struct request {
    uint32_t client;
    uint32_t uses;         // How many requests this slot has had.
    uint32_t next;         // The next free slot.
    int envelope, parts;   // Frames before the empty one; these and the body's.
    struct worker *worker; // Null: the request is queued, or the slot is free.
    zmq_msg_t frames[PARTS];
};

struct queue { // A ring.
    uint32_t *slots;
    size_t first, count, capacity;
};

static struct request *chunks[CHUNKS]; // Never moved, because a zmq_msg_t must not move.
static uint32_t slots, next_free = UINT32_MAX;

static inline struct request *at(uint32_t slot) {
    return &chunks[slot / CHUNK][slot % CHUNK];
}

static inline uint32_t free_slot(void) {
    uint32_t slot = next_free;
    if (slot != UINT32_MAX) {
        next_free = at(slot)->next;
        return slot;
    }
    if (slots == (uint32_t)CHUNK * CHUNKS) fail("too many requests");
    if (slots % CHUNK == 0) chunks[slots / CHUNK] = allocate(CHUNK, sizeof(struct request));
    for (int i = 0; i < PARTS; i++) zmq_msg_init(&at(slots)->frames[i]);
    return slots++;
}

static inline void give_back(uint32_t slot) {
    struct request *request = at(slot);
    for (int i = 0; i < request->parts; i++) {
        zmq_msg_close(&request->frames[i]);
        zmq_msg_init(&request->frames[i]);
    }
    request->uses++;
    request->worker = NULL;
    request->next = next_free;
    next_free = slot;
}

static inline void push(struct queue *queue, uint32_t slot) {
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity ? 2 * queue->capacity : 64;
        uint32_t *grown = allocate(capacity, sizeof *grown);
        for (size_t i = 0; i < queue->count; i++)
            grown[i] = queue->slots[(queue->first + i) & (queue->capacity - 1)];
        free(queue->slots);
        *queue = (struct queue){grown, 0, queue->count, capacity};
    }
    queue->slots[(queue->first + queue->count++) & (queue->capacity - 1)] = slot;
}

static inline uint32_t pop(struct queue *queue) {
    uint32_t slot = queue->slots[queue->first];
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    return slot;
}
