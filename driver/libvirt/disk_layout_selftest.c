/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <config.h>

#include "driver/libvirt/layout_selftest.h"

#include <stdio.h>
#include <string.h>

#include "driver/libvirt/layout_probe.h"
#include "storage_source.h"
#include "virerror.h"

/* A qcow2 header, version 2, as far as a base goes (qcow2 specification, "Header"). */
#define BACKING_AT 72
static const unsigned char header[BACKING_AT] = {
    'Q', 'F', 'I', 0xfb, 0, 0, 0, 2, [15] = BACKING_AT, [23] = 16 /* cluster_bits */,
};
static const char base[] =
    "json:{\"driver\":\"gluster\",\"volume\":\"volume-of-self-test\",\"path\":\"self/test\","
    "\"server\":[{\"type\":\"inet\",\"host\":\"one.invalid\",\"port\":\"24017\"},"
    "{\"type\":\"unix\",\"socket\":\"/two.invalid\"}]}";

/* An image as libvirt's probe leaves it, and its base as libvirt's parser does. */
static int check_image(const virStorageSource *probed, char *reason, size_t reason_size) {
    virStorageSource image;

    SFG_EXPECT(sfg_fetch(probed, &image, sizeof(image)) == 0);
    SFG_EXPECT(image.type == VIR_STORAGE_TYPE_FILE);
    SFG_EXPECT(image.format == VIR_STORAGE_FILE_QCOW2);
    SFG_EXPECT(sfg_holds_text(image.path, "/path/of/self/test"));
    SFG_EXPECT(image.nhosts == 0);
    SFG_EXPECT(image.hosts == NULL);
    SFG_EXPECT(image.drv == NULL);
    SFG_EXPECT(!image.detected);
    return 0;
}

static int check_base(const virStorageSource *parsed, char *reason, size_t reason_size) {
    virStorageSource disk;
    virStorageNetHostDef hosts[2];

    SFG_EXPECT(sfg_fetch(parsed, &disk, sizeof(disk)) == 0);
    SFG_EXPECT(disk.type == VIR_STORAGE_TYPE_NETWORK);
    SFG_EXPECT(disk.protocol == VIR_STORAGE_NET_PROTOCOL_GLUSTER);
    SFG_EXPECT(sfg_holds_text(disk.volume, "volume-of-self-test"));
    SFG_EXPECT(sfg_holds_text(disk.path, "self/test"));
    SFG_EXPECT(disk.nhosts == 2);
    SFG_EXPECT(sfg_fetch(disk.hosts, hosts, sizeof(hosts)) == 0);
    SFG_EXPECT(hosts[0].transport == VIR_STORAGE_NET_HOST_TRANS_TCP);
    SFG_EXPECT(sfg_holds_text(hosts[0].name, "one.invalid"));
    SFG_EXPECT(hosts[0].port == 24017);
    SFG_EXPECT(hosts[1].transport == VIR_STORAGE_NET_HOST_TRANS_UNIX);
    SFG_EXPECT(sfg_holds_text(hosts[1].socket, "/two.invalid"));
    SFG_EXPECT(disk.drv == NULL);
    /* What decides whether the servers of a base are trusted. */
    SFG_EXPECT(disk.detected);
    return 0;
}

int sfg_disk_layout_selftest(char *reason, size_t reason_size) {
    g_autoptr(virStorageSource) image = NULL;
    g_autoptr(virStorageSource) found = NULL;
    char bytes[BACKING_AT + sizeof(base)];

    memcpy(bytes, header, BACKING_AT);
    memcpy(bytes + BACKING_AT, base, sizeof(base));
    bytes[19] = sizeof(base) - 1; /* backing_file_size, with the next */
    bytes[18] = (sizeof(base) - 1) >> 8;

    image = virStorageSourceGetMetadataFromBuf("/path/of/self/test", bytes, sizeof(bytes),
                                               VIR_STORAGE_FILE_QCOW2);
    if (!image || virStorageSourceNewFromBacking(image, &found) < 0) {
        snprintf(reason, reason_size, "libvirt cannot read the self-test's image: %s",
                 virGetLastErrorMessage());
        virResetLastError();
        return -1;
    }
    if (check_image(image, reason, reason_size) < 0 || check_base(found, reason, reason_size) < 0)
        return -1;
    return 0;
}

bool sfg_layout_holds_pointer(const void *structure, const void *pointer) {
    const void *found = NULL;

    return structure && sfg_fetch(structure, &found, sizeof(found)) == 0 && found == pointer;
}
