/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The storage backend as libvirt calls it: each callback copies its arguments into the contract's
 * structs, calls the driver and copies the answer back. The table of callbacks is at the end.
 *
 * "locked" and "unlocked" at a callback say whether libvirt holds the pool's lock during it
 * (storage_driver.c).
 */

#define _GNU_SOURCE
#include <config.h>

#include <stdio.h>

#include "driver/libvirt/abi.h"
#include "driver/libvirt/compat.h"
#include "driver/libvirt/contract.h"
#include "driver/libvirt/convert.h"
#include "driver/libvirt/layout_selftest.h"
#include "driver/libvirt/report.h"
#include "driver/libvirt/stream.h"
#include "storage_backend.h"
#include "storage_conf.h"
#include "storage_file_probe.h"
#include "storage_source.h"
#include "storage_util.h"
#include "viralloc.h"
#include "virerror.h"
#include "virlog.h"
#include "virstorageobj.h"
#include "virstring.h"

#define VIR_FROM_THIS VIR_FROM_STORAGE

VIR_LOG_INIT("storage.sf_gluster");

int sfg_abi_register_storage_backend(char *reason, unsigned long reason_size);

/* Flags that may come with a creation and mean nothing here: libvirt 9.0.0 passes VALIDATE on. */
#define CREATE_FLAGS (VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA | VIR_STORAGE_VOL_CREATE_VALIDATE)

/* locked; no gluster call. A pool counts as active when its state file says so; the refresh that
 * follows at daemon start finds out, within its time limit. As the stock backend. */
static int check_pool(virStoragePoolObj *pool, bool *active) {
    *active = virStoragePoolObjIsActive(pool);
    return 0;
}

/* locked */
static int build_pool(virStoragePoolObj *pool, unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool wanted = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    struct sfg_error error;

    virCheckFlags(0, -1);

    if (sfg_pool_build(&wanted, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return 0;
}

static int add_volume(void *opaque, const struct sfg_volume *volume) {
    virStoragePoolObj *pool = opaque;
    g_autoptr(virStorageVolDef) def = g_new0(virStorageVolDef, 1);

    def->name = g_strdup(volume->name);
    if (sfg_volume_to_libvirt(volume, def) < 0)
        return -1;
    if (virStoragePoolObjAddVol(pool, def) < 0) {
        /* Says nothing itself. Two names that one URI spells alike would do this. */
        VIR_WARN("volume '%s' is left out: its name or key is there already", volume->name);
        return 0;
    }
    def = NULL;
    return 0;
}

/* locked */
static int refresh_pool(virStoragePoolObj *pool) {
    virStoragePoolDef *def = virStoragePoolObjGetDef(pool);
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool wanted = sfg_pool_from_libvirt(def, &servers);
    struct sfg_usage usage = {0};
    struct sfg_error error;

    if (sfg_pool_refresh(&wanted, add_volume, pool, &usage, &error) < 0) {
        if (error.message[0] != '\0')
            sfg_report(&error);
        return -1;
    }
    def->capacity = usage.capacity;
    def->allocation = usage.allocation;
    def->available = usage.available;
    return 0;
}

/* locked; never fails, as libvirt ignores it after a failed refresh */
static int stop_pool(virStoragePoolObj *pool) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool stopped = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);

    sfg_pool_stopped(&stopped);
    return 0;
}

/* locked */
static int delete_pool(virStoragePoolObj *pool, unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool wanted = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    struct sfg_error error;

    virCheckFlags(0, -1);

    if (sfg_pool_delete(&wanted, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return 0;
}

static void clear_sources(virStoragePoolSourceList *list) {
    size_t i;

    for (i = 0; i < list->nsources; i++)
        virStoragePoolSourceClear(&list->sources[i]);
    g_free(list->sources);
}

/* unlocked; no pool */
static char *find_pool_sources(const char *spec, unsigned int flags) {
    virStoragePoolSourceList list = {.type = VIR_STORAGE_POOL_GLUSTER};
    g_autoptr(virStoragePoolSource) source = NULL;
    char *answer = NULL;
    int found;

    virCheckFlags(0, NULL);

    if (!spec) {
        virReportError(VIR_ERR_INVALID_ARG, "%s",
                       "looking for gluster volumes needs the name of a host");
        return NULL;
    }
    if (!(source = virStoragePoolDefParseSourceString(spec, VIR_STORAGE_POOL_GLUSTER)))
        return NULL;
    if (source->nhost != 1) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                       "looking for gluster volumes takes one host, not %zu", source->nhost);
        return NULL;
    }
    found = virStorageBackendFindGlusterPoolSources(source->hosts[0].name,
                                                    VIR_STORAGE_POOL_GLUSTER, &list, true);
    if (found == 0)
        virReportError(VIR_ERR_OPERATION_FAILED,
                       "no gluster volume was found on host '%s'", source->hosts[0].name);
    else if (found > 0)
        answer = virStoragePoolSourceListFormat(&list);
    clear_sources(&list);
    return answer;
}

/* locked; no gluster call: the name is checked, not yet claimed. Must set type, key and path, or
 * virStoragePoolObjAddVol fails without a word. */
static int create_volume(virStoragePoolObj *pool, virStorageVolDef *def) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    struct sfg_request request = sfg_request_from_libvirt(def, 0);
    size_t size = 64 * 1024;
    g_autofree char *uri = g_new0(char, size);
    struct sfg_error error;

    if (sfg_volume_check(&target, &request, uri, size, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    def->type = request.directory ? VIR_STORAGE_VOL_NETDIR : VIR_STORAGE_VOL_NETWORK;
    g_free(def->key);
    def->key = g_strdup(uri);
    g_free(def->target.path);
    def->target.path = g_strdup(uri);
    return 0;
}

/* unlocked; `def` is a shallow copy whose pointers are not ours to change. What fails here has
 * left nothing behind. */
static int build_volume(virStoragePoolObj *pool, virStorageVolDef *def, unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    struct sfg_request request = sfg_request_from_libvirt(def, flags);
    struct sfg_error error;

    virCheckFlags(CREATE_FLAGS, -1);

    if (sfg_volume_create(&target, &request, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return 0;
}

/* What can be told without asking gluster. */
static int refuse_clone(const virStorageVolDef *def, const virStorageVolDef *source,
                        unsigned int flags) {
    virCheckFlags(CREATE_FLAGS | VIR_STORAGE_VOL_CREATE_REFLINK, -1);

    if (flags & VIR_STORAGE_VOL_CREATE_REFLINK) {
        /* glfs_copy_file_range: no cluster translator of glusterfs 10.3 has it, and replicas may
         * come to differ. */
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                       "cannot create volume '%s': gluster has no reflinks, clone without them",
                       def->name);
        return -1;
    }
    if (source->type != VIR_STORAGE_VOL_NETWORK && source->type != VIR_STORAGE_VOL_FILE &&
        source->type != VIR_STORAGE_VOL_BLOCK) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                       "cannot create volume '%s': volume '%s' is neither a file nor a block "
                       "device",
                       def->name, source->name);
        return -1;
    }
    if (source->target.encryption) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                       "cannot create volume '%s': volume '%s' is encrypted", def->name,
                       source->name);
        return -1;
    }
    return 0;
}

/* unlocked; `def` is a shallow copy as for build_volume, `source` may be of another pool, of any
 * type. What fails here has left nothing behind; libvirt then calls delete_volume. */
static int build_volume_from(virStoragePoolObj *pool, virStorageVolDef *def,
                             virStorageVolDef *source, unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    struct sfg_request request = sfg_request_from_libvirt(def, flags);
    struct sfg_source from = {0};
    struct sfg_error error;

    if (refuse_clone(def, source, flags) < 0) {
        sfg_volume_not_made(&target, def->name);
        return -1;
    }
    from.path = source->target.path;
    from.format = source->target.format > 0
                      ? virStorageFileFormatTypeToString(source->target.format)
                      : "raw";
    if (sfg_volume_clone(&target, &request, &from, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return 0;
}

static int update_volume(void *opaque, const struct sfg_volume *volume) {
    return sfg_volume_to_libvirt(volume, opaque);
}

/* locked. Also called for the source of a build_volume_from, which may be of another pool and then
 * is not ours to look at (storage_driver.c, storageVolCreateXMLFrom); and, when somebody asks for a
 * volume's info, for one that is still being built, whose allocation then says how far it is. */
static int refresh_volume(virStoragePoolObj *pool, virStorageVolDef *def) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    uint64_t built = 0;
    struct sfg_error error;

    if (!sfg_volume_has_uri(&target, def->name, def->target.path))
        return 0;
    if (def->building) {
        if (sfg_volume_build_progress(&target, def->name, &built))
            def->target.allocation = built;
        return 0;
    }
    if (sfg_volume_look(&target, def->name, update_volume, def, &error) < 0) {
        if (error.message[0] != '\0')
            sfg_report(&error);
        return -1;
    }
    return 0;
}

/* locked */
static int delete_volume(virStoragePoolObj *pool, virStorageVolDef *def, unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    struct sfg_error error;

    virCheckFlags(0, -1);

    if (sfg_volume_delete(&target, def->name, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return 0;
}

/* locked, and unlocked while gluster works: allocating may take long. In the meantime the volume
 * counts as in use, as storage_driver.c has it in such calls, so that its definition stays. libvirt
 * sets the new capacity itself. */
static int resize_volume(virStoragePoolObj *pool, virStorageVolDef *def,
                         unsigned long long capacity, unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    struct sfg_error error;
    int resized;

    virCheckFlags(VIR_STORAGE_VOL_RESIZE_ALLOCATE | VIR_STORAGE_VOL_RESIZE_SHRINK, -1);

    virStoragePoolObjIncrAsyncjobs(pool);
    def->in_use++;
    virObjectUnlock(pool);
    resized = sfg_volume_resize(&target, def->name, capacity,
                                flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE,
                                flags & VIR_STORAGE_VOL_RESIZE_SHRINK, &error);
    virObjectLock(pool);
    def->in_use--;
    virStoragePoolObjDecrAsyncjobs(pool);
    if (resized < 0) {
        sfg_report(&error);
        return -1;
    }
    return 0;
}

/* unlocked; `stream` is read as an FDStream afterwards */
static int download_volume(virStoragePoolObj *pool, virStorageVolDef *def, virStreamPtr stream,
                           unsigned long long offset, unsigned long long length,
                           unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    int descriptor = -1;
    struct sfg_error error;

    virCheckFlags(VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM, -1);

    if (sfg_stream_download(stream, &target, def->name, offset, length,
                            flags & VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM, &descriptor,
                            &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return sfg_stream_attach(stream, descriptor);
}

/* unlocked; `stream` is read as an FDStream afterwards */
static int upload_volume(virStoragePoolObj *pool, virStorageVolDef *def, virStreamPtr stream,
                         unsigned long long offset, unsigned long long length,
                         unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    int descriptor = -1;
    struct sfg_error error;

    virCheckFlags(VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM, -1);

    if (sfg_stream_upload(stream, &target, def->name, offset, length, &descriptor, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return sfg_stream_attach(stream, descriptor);
}

static const char *const wipe_algorithms[] = {
    [VIR_STORAGE_VOL_WIPE_ALG_ZERO] = "zero",
    [VIR_STORAGE_VOL_WIPE_ALG_NNSA] = "nnsa",
    [VIR_STORAGE_VOL_WIPE_ALG_DOD] = "dod",
    [VIR_STORAGE_VOL_WIPE_ALG_BSI] = "bsi",
    [VIR_STORAGE_VOL_WIPE_ALG_GUTMANN] = "gutmann",
    [VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER] = "schneier",
    [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7] = "pfitzner7",
    [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33] = "pfitzner33",
    [VIR_STORAGE_VOL_WIPE_ALG_RANDOM] = "random",
    [VIR_STORAGE_VOL_WIPE_ALG_TRIM] = "trim",
};

/* unlocked. libvirt looks at a wiped volume again for local pools only; the volume is in use until
 * this returns, so its definition stays and the lock may be taken for it. */
static int wipe_volume(virStoragePoolObj *pool, virStorageVolDef *def, unsigned int algorithm,
                       unsigned int flags) {
    g_autofree struct sfg_server *servers = NULL;
    struct sfg_pool target = sfg_pool_from_libvirt(virStoragePoolObjGetDef(pool), &servers);
    enum sfg_wipe method;
    struct sfg_error error;
    int refreshed;

    virCheckFlags(0, -1);

    switch (algorithm) {
    case VIR_STORAGE_VOL_WIPE_ALG_ZERO:
        method = SFG_WIPE_ZERO;
        break;
    case VIR_STORAGE_VOL_WIPE_ALG_TRIM:
        method = SFG_WIPE_TRIM;
        break;
    case VIR_STORAGE_VOL_WIPE_ALG_RANDOM:
        method = SFG_WIPE_RANDOM;
        break;
    default:
        virReportError(VIR_ERR_ARGUMENT_UNSUPPORTED,
                       "cannot wipe volume '%s': gluster pools have the algorithms zero, trim and "
                       "random, not %s",
                       def->name,
                       algorithm < G_N_ELEMENTS(wipe_algorithms) ? wipe_algorithms[algorithm]
                                                                 : "this one");
        return -1;
    }
    if (sfg_volume_wipe(&target, def->name, method, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    virObjectLock(pool);
    refreshed = refresh_volume(pool, def);
    virObjectUnlock(pool);
    if (refreshed < 0) {
        VIR_WARN("volume '%s' is wiped, and is shown as before until the pool is refreshed: %s",
                 def->name, virGetLastErrorMessage());
        virResetLastError();
    }
    return 0;
}

/* Any thread, libvirt's error of which is left as it was: clear. */
static void probe(const void *start, size_t length, struct sfg_probed *probed) {
    g_autoptr(virStorageSource) meta = NULL;
    g_autofree char *copy = NULL;

    if (length == 0)
        return;
    copy = g_memdup2(start, length);
    meta = virStorageSourceGetMetadataFromBuf("volume", copy, length, VIR_STORAGE_FILE_AUTO);
    if (!meta) {
        virResetLastError();
        return;
    }
    probed->format = virStorageFileFormatTypeToString(meta->format);
    probed->capacity = meta->capacity;
    if (meta->encryption)
        probed->encryption = meta->encryption->format == VIR_STORAGE_ENCRYPTION_FORMAT_LUKS
                                 ? SFG_ENCRYPTION_LUKS
                                 : SFG_ENCRYPTION_QCOW;
    if (meta->backingStoreRaw && strlen(meta->backingStoreRaw) < sizeof(probed->backing)) {
        const char *format = NULL;

        g_strlcpy(probed->backing, meta->backingStoreRaw, sizeof(probed->backing));
        if (meta->backingStoreRawFormat > 0)
            format = virStorageFileFormatTypeToString(meta->backingStoreRawFormat);
        g_strlcpy(probed->backing_format, format ? format : "", sizeof(probed->backing_format));
    }
}

static virStorageBackend backend = {
    .type = VIR_STORAGE_POOL_GLUSTER,

    .findPoolSources = find_pool_sources,
    .checkPool = check_pool,
    .buildPool = build_pool,
    .refreshPool = refresh_pool,
    .stopPool = stop_pool,
    .deletePool = delete_pool,

    .createVol = create_volume,
    .buildVol = build_volume,
    .refreshVol = refresh_volume,
    .deleteVol = delete_volume,
    .buildVolFrom = build_volume_from,
    .resizeVol = resize_volume,
    .uploadVol = upload_volume,
    .downloadVol = download_volume,
    .wipeVol = wipe_volume,
};

/* libvirt loads these when it first looks at a disk, which may be in a child that it has forked, and
 * another thread, of gluster's, may be loading something at the fork. So they are loaded here, before
 * there is any. What fails is told by who needs them. */
static void load_storage_file_modules(void) {
    g_autoptr(virStorageSource) any = virStorageSourceNew();

    any->type = VIR_STORAGE_TYPE_FILE;
    ignore_value(virStorageSourceSupportsAccess(any));
    virResetLastError();
}

/* In libvirtd its own driver is found, in virtstoraged the socket of virtqemud. */
static int list_guests(sfg_guest_visitor visit, void *opaque) {
    virConnectPtr connection = virConnectOpen("qemu:///system");
    virDomainPtr *domains = NULL;
    int count = -1;
    int i;

    if (connection)
        count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    for (i = 0; i < count; i++) {
        g_autofree char *xml = virDomainGetXMLDesc(domains[i], 0);
        int state = VIR_DOMAIN_NOSTATE;
        int reason = VIR_DOMAIN_PAUSED_UNKNOWN;

        /* One that has ended meanwhile has neither. Those that are paused for a migration, a save or
         * an error go on by themselves, perhaps elsewhere. */
        if (xml && virDomainGetState(domains[i], &state, &reason, 0) == 0)
            visit(opaque, state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_USER, xml);
        virDomainFree(domains[i]);
    }
    g_free(domains);
    if (connection)
        virConnectClose(connection);
    virResetLastError();
    return count < 0 ? -1 : 0;
}

__attribute__((visibility("default")))
int sfg_abi_register_storage_backend(char *reason, unsigned long reason_size) {
    if (sfg_contract_version() != SFG_CONTRACT_VERSION) {
        snprintf(reason, reason_size, "its library is of another version");
        return -1;
    }
    if (sfg_layout_selftest(reason, reason_size) < 0)
        return -1;
    sfg_set_log_sink(sfg_log_line);
    sfg_set_prober(probe);
    sfg_set_guest_lister(list_guests);
    if (virStorageBackendRegister(&backend) < 0) {
        snprintf(reason, reason_size, "libvirt does not register it: %s",
                 virGetLastErrorMessage());
        virResetLastError();
        return -1;
    }
    load_storage_file_modules();
    VIR_INFO("gluster pools are served by sf-gluster, built for libvirt %d.%d.%d",
             SFG_LIBVIRT_VERSION / 1000000, SFG_LIBVIRT_VERSION / 1000 % 1000,
             SFG_LIBVIRT_VERSION % 1000);
    return 0;
}
