/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The storage file backend, with which libvirt's qemu driver looks at the images of gluster disks:
 * it reads their headers to learn the backing chain, checks that they are there, changes their
 * owner, and makes and removes those of snapshots and block copies. virt-aa-helper loads it as well.
 * Nothing is kept between the calls: the connection is the process's own (driver/gluster).
 *
 * storage_file_backend.h has the contract: backendInit and storageFileRead set libvirt's error, the
 * others only errno, so what stood in the way goes to the log in words.
 */

#define _GNU_SOURCE
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "driver/libvirt/abi.h"
#include "driver/libvirt/compat.h"
#include "driver/libvirt/contract.h"
#include "driver/libvirt/layout_selftest.h"
#include "driver/libvirt/report.h"
#include "storage_file_backend.h"
#include "viralloc.h"
#include "virerror.h"
#include "virlog.h"

#define VIR_FROM_THIS VIR_FROM_STORAGE

VIR_LOG_INIT("storage.sf_gluster_file");

int sfg_abi_register_storage_file(char *reason, unsigned long reason_size);

static virStorageFileBackend backend;

/* The strings are libvirt's; `servers` is freed with g_free by the caller. */
static struct sfg_disk disk_from_libvirt(const virStorageSource *src,
                                         struct sfg_disk_server **servers) {
    struct sfg_disk disk = {0};
    size_t i;

    *servers = g_new0(struct sfg_disk_server, src->nhosts);
    for (i = 0; i < src->nhosts; i++) {
        const virStorageNetHostDef *host = &src->hosts[i];

        if (host->transport == VIR_STORAGE_NET_HOST_TRANS_UNIX) {
            (*servers)[i].socket = host->socket;
        } else {
            /* As qemu's block/gluster.c: rdma, which gluster has no more, means tcp. */
            (*servers)[i].host = host->name;
            (*servers)[i].port = host->port;
        }
    }
    disk.volume = src->volume;
    disk.path = src->path;
    disk.servers = *servers;
    disk.server_count = src->nhosts;
    /* virStorageSourceNewFromChild (storage_source.c) sets it for what an image names. */
    disk.named_by_image = src->detected;
    return disk;
}

/* For the callbacks that give an errno. */
static int failed(const struct sfg_error *error) {
    int system_errno = error->system_errno;

    if (system_errno == 0)
        system_errno = error->kind == SFG_ERROR_DENIED ? EACCES : EIO;
    /* security_dac.c takes EINVAL, with which gfapi tells of a stopped volume, for "this file system
     * has no owners". */
    if (error->kind == SFG_ERROR_NOT_CONNECTED && system_errno != ETIMEDOUT)
        system_errno = ENOTCONN;
    /* What is not there is asked for all the time. */
    if (system_errno == ENOENT)
        VIR_DEBUG("%s", error->message);
    else
        VIR_WARN("%s", error->message);
    errno = system_errno;
    return -1;
}

static pid_t loader;

__attribute__((constructor)) static void note_loader(void) {
    loader = getpid();
}

/*
 * In the child that changes owners, libvirt copies `src` before disk_init and lets go of the copy
 * after disk_deinit (qemu_driver.c, qemuSecurityChownCallback). The last g_object_unref takes a lock
 * of GObject's (glib 2.74, notify_lock), and the allocation of an object may take one of GSlice's,
 * each of which another thread may have held at the fork: the child would wait for ever, and
 * libvirtd with it. Seen after some hundred of guests had been started ten at a time. So the copy
 * gets one reference more, in a process that is about to end; and the threads that will fork, which
 * are those that have looked at the disks before, have some free objects at hand.
 */
static void avoid_locks_of_glib(virStorageSource *src) {
    virStorageSource *spare[4];
    size_t i;

    if (getpid() != loader) {
        virObjectRef(src);
        return;
    }
    for (i = 0; i < G_N_ELEMENTS(spare); i++)
        spare[i] = virStorageSourceNew();
    for (i = 0; i < G_N_ELEMENTS(spare); i++)
        virObjectUnref(spare[i]);
}

static int disk_init(virStorageSource *src) {
    g_autofree struct sfg_disk_server *servers = NULL;
    virStorageDriverData *data = src->drv;
    struct sfg_disk disk;
    struct sfg_error error;

    /* virStorageSourceInitAs has just set it: a last check of the layout, at a pointer that no
     * document could fill for the self-test. */
    if (!sfg_layout_holds_pointer(data, &backend)) {
        virReportError(VIR_ERR_INTERNAL_ERROR,
                       "sf-gluster: libvirt's virStorageSource is laid out otherwise than in "
                       "libvirt %d", SFG_LIBVIRT_VERSION);
        return -1;
    }
    if (!src->volume || !src->path) {
        virReportError(VIR_ERR_INTERNAL_ERROR, "missing gluster volume name for path '%s'",
                       NULLSTR(src->path));
        return -1;
    }
    avoid_locks_of_glib(src);
    disk = disk_from_libvirt(src, &servers);
    if (sfg_disk_connect(&disk, &error) < 0) {
        sfg_report(&error);
        return -1;
    }
    return 0;
}

static void disk_deinit(virStorageSource *src) {
    /* The connection stays for the next call. */
    VIR_DEBUG("done with gluster disk '%s%s'", NULLSTR(src->volume), NULLSTR(src->path));
}

static int disk_create(virStorageSource *src) {
    g_autofree struct sfg_disk_server *servers = NULL;
    struct sfg_disk disk = disk_from_libvirt(src, &servers);
    struct sfg_error error;

    return sfg_disk_create(&disk, &error) < 0 ? failed(&error) : 0;
}

static int disk_unlink(virStorageSource *src) {
    g_autofree struct sfg_disk_server *servers = NULL;
    struct sfg_disk disk = disk_from_libvirt(src, &servers);
    struct sfg_error error;

    return sfg_disk_unlink(&disk, &error) < 0 ? failed(&error) : 0;
}

static int disk_stat(virStorageSource *src, struct stat *st) {
    g_autofree struct sfg_disk_server *servers = NULL;
    struct sfg_disk disk = disk_from_libvirt(src, &servers);
    struct sfg_error error;

    return sfg_disk_stat(&disk, st, &error) < 0 ? failed(&error) : 0;
}

static ssize_t disk_read(virStorageSource *src, size_t offset, size_t len, char **buf) {
    g_autofree struct sfg_disk_server *servers = NULL;
    struct sfg_disk disk = disk_from_libvirt(src, &servers);
    g_autofree char *bytes = g_new0(char, len);
    struct sfg_error error;
    ssize_t got;

    *buf = NULL;
    if ((got = sfg_disk_read(&disk, offset, bytes, len, &error)) < 0) {
        sfg_report(&error);
        return -1;
    }
    *buf = g_steal_pointer(&bytes);
    return got;
}

static int disk_access(virStorageSource *src, int mode) {
    g_autofree struct sfg_disk_server *servers = NULL;
    const virStorageDriverData *data = src->drv;
    struct sfg_disk disk = disk_from_libvirt(src, &servers);
    struct sfg_error error;

    return sfg_disk_access(&disk, mode, data->uid, data->gid, &error) < 0 ? failed(&error) : 0;
}

/* Runs in a forked child most of the time (security_dac.c). */
static int disk_chown(const virStorageSource *src, uid_t uid, gid_t gid) {
    g_autofree struct sfg_disk_server *servers = NULL;
    struct sfg_disk disk = disk_from_libvirt(src, &servers);
    struct sfg_error error;

    return sfg_disk_chown(&disk, uid, gid, &error) < 0 ? failed(&error) : 0;
}

static virStorageFileBackend backend = {
    .type = VIR_STORAGE_TYPE_NETWORK,
    .protocol = VIR_STORAGE_NET_PROTOCOL_GLUSTER,

    .backendInit = disk_init,
    .backendDeinit = disk_deinit,
    .storageFileRead = disk_read,

    .storageFileCreate = disk_create,
    .storageFileUnlink = disk_unlink,
    .storageFileStat = disk_stat,
    .storageFileAccess = disk_access,
    .storageFileChown = disk_chown,
};

__attribute__((visibility("default")))
int sfg_abi_register_storage_file(char *reason, unsigned long reason_size) {
    if (sfg_contract_version() != SFG_CONTRACT_VERSION) {
        snprintf(reason, reason_size, "its library is of another version");
        return -1;
    }
    if (sfg_disk_layout_selftest(reason, reason_size) < 0)
        return -1;
    sfg_set_log_sink(sfg_log_line);
    if (virStorageFileBackendRegister(&backend) < 0) {
        snprintf(reason, reason_size, "libvirt does not register it: %s",
                 virGetLastErrorMessage());
        virResetLastError();
        return -1;
    }
    VIR_INFO("gluster disks of guests are served by sf-gluster, built for libvirt %d.%d.%d",
             SFG_LIBVIRT_VERSION / 1000000, SFG_LIBVIRT_VERSION / 1000 % 1000,
             SFG_LIBVIRT_VERSION % 1000);
    return 0;
}
