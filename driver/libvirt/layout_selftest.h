/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Are libvirt's structs laid out as this module was compiled for? Each test has libvirt's own
 * parser fill them from a known text and reads the fields back. Nothing is dereferenced that could
 * be no pointer. Returns 0, or -1 with the reason, one line, in `reason`.
 */

/* Pools and volumes. */
int sfg_layout_selftest(char *reason, size_t reason_size);

/* Disks of guests. */
int sfg_disk_layout_selftest(char *reason, size_t reason_size);

/* Is `structure` there, with `pointer` as its first field? */
bool sfg_layout_holds_pointer(const void *structure, const void *pointer);
