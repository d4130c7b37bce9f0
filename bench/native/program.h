// Shared by all native programs: arguments, the clock, and errors as one sentence.

#pragma once

#define _GNU_SOURCE // For program_invocation_short_name.

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct argument {
    const char *name;
    enum { WHOLE, SECONDS, TEXT, FLAG } kind; // A FLAG has no value.
    void *to; // A long for WHOLE and FLAG, a double for SECONDS, a const char * for TEXT.
    long least;
};

/** Prints one sentence to stderr and exits with code 1. */
__attribute__((format(printf, 1, 2), noreturn)) static inline void fail(const char *format, ...) {
    __builtin_va_list values;
    __builtin_va_start(values, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, values);
    fputs("\n", stderr);
    exit(1);
}

/** Fails with errno's text unless `holds`. */
static inline void require(int holds, const char *error) {
    if (!holds) fail("%s (%s)", error, strerror(errno));
}

static inline void set(const struct argument *argument, const char *value) {
    char *end;
    if (argument->kind == TEXT) {
        *(const char **)argument->to = value;
        return;
    }
    double number = strtod(value, &end);
    int whole = argument->kind != WHOLE || number == (double)(long)number;
    if (end == value || *end != '\0' || !whole || !(number >= argument->least && number <= 1e9))
        fail("--%s must be a number >= %ld, not %s", argument->name, argument->least, value);
    if (argument->kind == SECONDS) *(double *)argument->to = number;
    else *(long *)argument->to = (long)number;
}

/** Parses the command line. The list of known arguments ends with one that has no name. */
static inline void parse(int count, char **given, const struct argument *known) {
    for (int i = 1; i < count; i++) {
        const struct argument *argument = known;
        const char *name = strncmp(given[i], "--", 2) == 0 ? given[i] + 2 : "";
        while (argument->name && strcmp(name, argument->name) != 0) argument++;
        if (!argument->name) fail("unknown argument %s", given[i]);
        if (argument->kind == FLAG) *(long *)argument->to = 1;
        else if (++i == count) fail("--%s needs a value", argument->name);
        else set(argument, given[i]);
    }
}

static inline int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/** A block of zeros. */
static inline void *allocate(size_t count, size_t size) {
    void *block = calloc(count, size);
    if (!block) fail("out of memory");
    return block;
}
