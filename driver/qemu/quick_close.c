/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * To be preloaded into qemu (LD_PRELOAD), and into nothing else: closes gluster disks without the
 * ten seconds that glfs_fini takes in glusterfs 10.3 and 11.1.
 *
 * glfs_fini makes it impossible to cancel timers (glfs.c, cleanup_started) and then waits for one of
 * ten seconds (rpc-clnt.c, call_bail). qemu calls it in its main thread, for each gluster volume
 * when the last of its disks is closed: at the end of the guest, and, while all of the guest stands
 * still, when a disk is detached or a snapshot, commit or copy lets go of an image.
 *
 * Nothing is lost by waiting elsewhere: qemu has flushed and closed the file before
 * (block/gluster.c, qemu_gluster_close), and glfs_close has returned when the bricks have it all.
 * What glfs_fini does after that is to take down the client. So here it is done by a thread, some
 * seconds later, and not at all where qemu ends before.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

struct glfs;
__attribute__((visibility("default"))) int glfs_fini(struct glfs *fs);

/* Longer than a qemu needs that is about to end: libraries' destructors and glfs_fini had better
 * not run at the same time. */
#define SECONDS_LATER 5

/* One after another. */
static pthread_mutex_t finishing = PTHREAD_MUTEX_INITIALIZER;

static void *finish_later(void *fs) {
    void *library;
    int (*finish)(struct glfs *) = NULL;

    sleep(SECONDS_LATER);
    /* By its handle: qemu opens block-gluster.so for itself alone, so RTLD_NEXT does not find it. */
    library = dlopen("libgfapi.so.0", RTLD_LAZY | RTLD_NOLOAD);
    if (library != NULL)
        finish = (int (*)(struct glfs *))dlsym(library, "glfs_fini");
    if (finish != NULL) {
        pthread_mutex_lock(&finishing);
        finish(fs);
        pthread_mutex_unlock(&finishing);
    }
    return NULL;
}

int glfs_fini(struct glfs *fs) {
    pthread_t thread;
    sigset_t all, before;
    int started;

    if (fs == NULL)
        return -1;
    /* qemu's signals are its own threads' matter. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&thread, NULL, finish_later, fs);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started == 0)
        pthread_detach(thread);
    /* Without a thread the client stays as it is: memory, and nothing else. */
    return 0;
}
