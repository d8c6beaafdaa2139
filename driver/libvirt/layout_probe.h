/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Looking at structs that libvirt has filled without trusting that they are laid out as compiled.
 */

#include <stddef.h>
#include <stdio.h>

/* Copies memory that may not be there. Returns 0 or -1. */
int sfg_fetch(const void *from, void *to, size_t size);

/* The bytes of `expected`, its NUL included, are at `pointer`. */
int sfg_holds_text(const char *pointer, const char *expected);

/* In a function with `reason` and `reason_size`: leaves it with -1 where something is amiss. */
#define SFG_EXPECT(condition)                                                              \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            snprintf(reason, reason_size, "libvirt's structs are laid out otherwise: %s",  \
                     #condition);                                                          \
            return -1;                                                                     \
        }                                                                                  \
    } while (0)
