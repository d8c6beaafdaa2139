/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "driver/libvirt/layout_probe.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int sfg_fetch(const void *from, void *to, size_t size) {
    struct iovec local = {to, size};
    struct iovec remote = {(void *)(unsigned long)from, size};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size ? 0 : -1;
}

int sfg_holds_text(const char *pointer, const char *expected) {
    char found[64];
    size_t size = strlen(expected) + 1;

    return size <= sizeof(found) && sfg_fetch(pointer, found, size) == 0 &&
           memcmp(found, expected, size) == 0;
}
