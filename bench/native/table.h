// A hash table with open addressing, from numbers other than 0 to pointers.

#pragma once

#include "program.h"

struct table {
    uint64_t *keys; // 0: an empty slot.
    void **values;  // Null: a deleted entry.
    size_t capacity, used;
};

static inline size_t slot_of(const struct table *table, uint64_t key) {
    size_t slot = (key * 0x9e3779b97f4a7c15) >> 20 & (table->capacity - 1);
    while (table->keys[slot] && table->keys[slot] != key)
        slot = (slot + 1) & (table->capacity - 1);
    return slot;
}

static inline void *lookup(const struct table *table, uint64_t key) {
    return table->capacity ? table->values[slot_of(table, key)] : NULL;
}

static inline void put(struct table *table, uint64_t key, void *value) {
    size_t slot = slot_of(table, key);
    if (!table->keys[slot]) table->used++;
    table->keys[slot] = key;
    table->values[slot] = value;
}

// Drops deleted entries, and makes the table four times as large as its entries.
static inline void rebuild(struct table *table) {
    struct table old = *table;
    size_t count = 0;
    for (size_t i = 0; i < old.capacity; i++) count += old.values[i] != NULL;
    *table = (struct table){.capacity = 64};
    while (table->capacity < 4 * count) table->capacity *= 2;
    table->keys = allocate(table->capacity, sizeof *table->keys);
    table->values = allocate(table->capacity, sizeof *table->values);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.values[i]) put(table, old.keys[i], old.values[i]);
    free(old.keys);
    free(old.values);
}

static inline void insert(struct table *table, uint64_t key, void *value) {
    if (2 * table->used >= table->capacity) rebuild(table);
    put(table, key, value);
}

static inline void forget(struct table *table, uint64_t key) {
    if (table->capacity) table->values[slot_of(table, key)] = NULL;
}
