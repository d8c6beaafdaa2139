/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <config.h>

#include "driver/libvirt/convert.h"

#include "driver/libvirt/compat.h"
#include "storage_util.h"
#include "viralloc.h"
#include "virbitmap.h"
#include "virerror.h"
#include "virstring.h"

#define VIR_FROM_THIS VIR_FROM_STORAGE

struct sfg_pool sfg_pool_from_libvirt(const virStoragePoolDef *def, struct sfg_server **servers) {
    struct sfg_pool pool = {0};
    size_t i;

    *servers = g_new0(struct sfg_server, def->source.nhost);
    for (i = 0; i < def->source.nhost; i++) {
        (*servers)[i].host = def->source.hosts[i].name;
        (*servers)[i].port = def->source.hosts[i].port;
    }
    pool.name = def->name;
    pool.volume = def->source.name;
    pool.directory = def->source.dir;
    pool.servers = *servers;
    pool.server_count = def->source.nhost;
    return pool;
}

struct sfg_request sfg_request_from_libvirt(const virStorageVolDef *def, unsigned int flags) {
    const virStorageSource *target = &def->target;
    const virStorageSource *backing = target->backingStore;
    struct sfg_request request = {0};
    size_t i;

    request.name = def->name;
    request.directory = def->type == VIR_STORAGE_VOL_NETDIR || def->type == VIR_STORAGE_VOL_DIR ||
                        target->format == VIR_STORAGE_FILE_DIR;
    request.format = virStorageFileFormatTypeToString(target->format);
    request.capacity = target->capacity;
    request.allocation = target->allocation;
    request.preallocate_metadata = (flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA) != 0;
    request.cluster_size = target->clusterSize;
    request.compat = target->compat;
    request.encrypted = target->encryption != NULL;
    if (target->features) {
        request.has_features = true;
        for (i = 0; i < VIR_STORAGE_FILE_FEATURE_LAST; i++) {
            if (!virBitmapIsBitSet(target->features, i))
                continue;
            if (i == VIR_STORAGE_FILE_FEATURE_LAZY_REFCOUNTS)
                request.lazy_refcounts = true;
#if SFG_HAVE_EXTENDED_L2
            else if (i == VIR_STORAGE_FILE_FEATURE_EXTENDED_L2)
                request.extended_l2 = true;
#endif
            else
                request.unknown_features = true;
        }
    }
    if (backing && backing->path) {
        request.backing = backing->path;
        request.backing_format = virStorageFileFormatTypeToString(backing->format);
    }
    request.mode = target->perms ? target->perms->mode : (mode_t)-1;
    request.owner = target->perms ? target->perms->uid : (uid_t)-1;
    request.group = target->perms ? target->perms->gid : (gid_t)-1;
    return request;
}

static void set_features(const struct sfg_volume *volume, virStorageSource *target) {
    virBitmapFree(target->features);
    target->features = NULL;
    g_free(target->compat);
    target->compat = NULL;
    if (volume->compat[0] == '\0')
        return;
    target->compat = g_strdup(volume->compat);
    target->features = virBitmapNew(VIR_STORAGE_FILE_FEATURE_LAST);
    if (volume->lazy_refcounts)
        ignore_value(virBitmapSetBit(target->features, VIR_STORAGE_FILE_FEATURE_LAZY_REFCOUNTS));
#if SFG_HAVE_EXTENDED_L2
    if (volume->extended_l2)
        ignore_value(virBitmapSetBit(target->features, VIR_STORAGE_FILE_FEATURE_EXTENDED_L2));
#endif
}

static void set_backing(const struct sfg_volume *volume, virStorageSource *target) {
    virObjectUnref(target->backingStore);
    target->backingStore = NULL;
    if (!volume->backing)
        return;
    target->backingStore = virStorageSourceNew();
    /* As the stock backend: the path is text for the XML, whatever it leads to. */
    target->backingStore->type = VIR_STORAGE_TYPE_NETWORK;
    target->backingStore->path = g_strdup(volume->backing);
    target->backingStore->format = virStorageFileFormatTypeFromString(volume->backing_format);
    if (target->backingStore->format <= 0)
        target->backingStore->format = VIR_STORAGE_FILE_RAW;
}

static void set_encryption(const struct sfg_volume *volume, virStorageSource *target) {
    virStorageEncryptionFree(target->encryption);
    target->encryption = NULL;
    if (volume->encryption == SFG_ENCRYPTION_NONE)
        return;
    target->encryption = g_new0(virStorageEncryption, 1);
    target->encryption->format = volume->encryption == SFG_ENCRYPTION_LUKS
                                     ? VIR_STORAGE_ENCRYPTION_FORMAT_LUKS
                                     : VIR_STORAGE_ENCRYPTION_FORMAT_QCOW;
}

int sfg_volume_to_libvirt(const struct sfg_volume *volume, virStorageVolDef *def) {
    virStorageSource *target = &def->target;
    struct stat stat = *volume->stat;
    int format = virStorageFileFormatTypeFromString(volume->format);

    /* Sizes, permissions and times. */
    if (virStorageBackendUpdateVolTargetInfoFD(target, -1, &stat) < 0)
        return -1;

    def->type = volume->directory ? VIR_STORAGE_VOL_NETDIR : VIR_STORAGE_VOL_NETWORK;
    /* Other calls may read these without the pool's lock (the source of a clone), so what is the
     * same stays where it is. */
    if (STRNEQ_NULLABLE(def->key, volume->uri)) {
        g_free(def->key);
        def->key = g_strdup(volume->uri);
    }
    if (STRNEQ_NULLABLE(target->path, volume->uri)) {
        g_free(target->path);
        target->path = g_strdup(volume->uri);
    }
    if (volume->directory) {
        target->format = VIR_STORAGE_FILE_DIR;
        return 0;
    }
    target->format = format > 0 ? format : VIR_STORAGE_FILE_RAW;
    target->capacity = volume->capacity;
    target->clusterSize = volume->cluster_size;
    set_features(volume, target);
    set_backing(volume, target);
    set_encryption(volume, target);
    return 0;
}
