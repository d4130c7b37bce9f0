// The measurements of a load generator, and the lines that it prints (see ../system.ts). Times in
// ns.
//
// Latencies are counted in buckets: 128 per power of two, so a bucket is at most 0.8 % wide.

#pragma once

#include "program.h"

enum { STEPS_LOG2 = 7, STEPS = 1 << STEPS_LOG2, BUCKETS = (48 - STEPS_LOG2) * STEPS };

struct measure {
    int64_t begin_at; // The end of the warm-up.
    int64_t end_at;
    int begun;
    long requests; // Answered since the warm-up.
    long errors;   // Wrong replies, and requests without a reply.
    long buckets[BUCKETS];
};

static inline void start(struct measure *measure, double warmup_seconds, double seconds) {
    measure->begin_at = now_ns() + (int64_t)(warmup_seconds * 1e9);
    measure->end_at = measure->begin_at + (int64_t)(seconds * 1e9);
}

/** Whether the measurement is over. Prints the first line when the warm-up ends. */
static inline int over(struct measure *measure, int64_t now) {
    if (!measure->begun && now >= measure->begin_at) {
        measure->begun = 1;
        measure->end_at += now - measure->begin_at;
        measure->begin_at = now;
        puts("{\"event\":\"begun\"}");
        fflush(stdout);
    }
    return now >= measure->end_at;
}

/** Counts a reply and its latency. */
static inline void answered(struct measure *measure, int64_t latency) {
    if (!measure->begun) return;
    uint64_t value = latency > 0 ? (uint64_t)latency : 0;
    int shift = value < STEPS ? 0 : 63 - __builtin_clzll(value) - STEPS_LOG2;
    size_t bucket = (size_t)shift * STEPS + (size_t)(value >> shift);
    measure->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    measure->requests++;
}

/** A percentile in µs: the middle of its bucket. */
static inline double percentile(const struct measure *measure, double part) {
    long left = (long)(part * (double)measure->requests);
    size_t bucket = 0;
    if (measure->requests == 0) return 0;
    while (bucket < BUCKETS - 1 && (left -= measure->buckets[bucket]) >= 0) bucket++;
    size_t shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
    return ((double)((bucket - shift * STEPS) << shift) + (double)(1UL << shift) / 2) / 1000;
}

/** Prints the last line. */
static inline void report(const struct measure *measure, int64_t ended_at) {
    printf("{\"event\":\"done\",\"requests\":%ld,\"seconds\":%.6f,\"p50\":%.1f,\"p99\":%.1f,"
           "\"p999\":%.1f,\"errors\":%ld}\n",
           measure->requests, (double)(ended_at - measure->begin_at) / 1e9,
           percentile(measure, 0.5), percentile(measure, 0.99), percentile(measure, 0.999),
           measure->errors);
    fflush(stdout);
}
