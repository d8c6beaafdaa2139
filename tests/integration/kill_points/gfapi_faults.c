/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "tests/integration/kill_points/gfapi_faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glusterfs/api/glfs-handles.h>
#include <glusterfs/api/glfs.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static atomic_int planned_fault;
static atomic_long planned_at;
static atomic_int planned_error;
static atomic_long calls;
static _Atomic(const char *) met;

static int trace = -1;

__attribute__((constructor)) static void open_trace(void) {
    const char *file = getenv("GFAPI_TRACE");

    if (file)
        trace = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

void gfapi_fault_plan(enum gfapi_fault fault, long at, int error) {
    planned_fault = GFAPI_NO_FAULT;
    planned_at = at;
    planned_error = error;
    met = NULL;
    calls = 0;
    planned_fault = (int)fault;
}

long gfapi_fault_calls(void) {
    return calls;
}

const char *gfapi_fault_met(void) {
    const char *name = met;

    return name ? name : "";
}

/* Not RTLD_NEXT: libvirtd has gfapi loaded where only its backends see it. */
static void *real_function(const char *name) {
    void *gfapi = dlopen("libgfapi.so.0", RTLD_LAZY | RTLD_NOLOAD);
    void *function = gfapi ? dlsym(gfapi, name) : NULL;

    if (!function)
        abort();
    return function;
}

struct call {
    const char *name;
    long number;
    struct timespec start;
};

static void say_and_die(const struct call *call) {
    /* The one who waits for this process wants to know where it was. */
    dprintf(STDERR_FILENO, "killed at call %ld, %s\n", call->number, call->name);
    kill(getpid(), SIGKILL);
}

static void *die_soon(void *of_call) {
    const struct call *call = of_call;
    /* Most calls take 200 to 1000 us; which part of one is met changes from call to call. */
    const struct timespec moment = {.tv_nsec = 50000 + (call->number * 70000) % 400000};

    nanosleep(&moment, NULL);
    say_and_die(call);
    return NULL;
}

static atomic_bool released;

static void release(int signal) {
    (void)signal;
    released = true;
}

static void hold(void) {
    const struct timespec moment = {.tv_nsec = 10000000};
    char name[16];

    released = false;
    signal(SIGUSR1, release);
    prctl(PR_GET_NAME, name);
    prctl(PR_SET_NAME, "held");
    while (!released)
        nanosleep(&moment, NULL);
    prctl(PR_SET_NAME, name);
}

static struct call begin(const char *name) {
    struct call call = {.name = name, .number = atomic_fetch_add(&calls, 1) + 1};

    if (call.number == planned_at) {
        if (planned_fault == GFAPI_KILL_BEFORE) {
            say_and_die(&call);
        } else if (planned_fault == GFAPI_STOP) {
            met = name;
            kill(getpid(), SIGSTOP);
        } else if (planned_fault == GFAPI_HOLD) {
            met = name;
            hold();
        } else if (planned_fault == GFAPI_KILL_DURING) {
            static struct call kept;
            pthread_t thread;

            kept = call;
            if (pthread_create(&thread, NULL, die_soon, &kept) != 0)
                abort();
        }
    }
    if (trace >= 0)
        clock_gettime(CLOCK_MONOTONIC, &call.start);
    return call;
}

/* The call is not to be made; errno says why. */
static bool refused(const struct call *call) {
    const long at = planned_at;

    if (!(planned_fault == GFAPI_FAIL && call->number == at) &&
        !(planned_fault == GFAPI_OUTAGE && call->number >= at))
        return false;
    if (call->number == at)
        met = call->name;
    errno = planned_error;
    return true;
}

/* The call was made. True: its answer is lost; errno says why. */
static bool end(const struct call *call) {
    /* Being killed: what comes after the call is not to happen. */
    while (planned_fault == GFAPI_KILL_DURING && call->number >= planned_at)
        pause();
    if (trace >= 0) {
        int kept = errno;
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        dprintf(trace, "%ld %s %ld\n", call->number, call->name,
                (now.tv_sec - call->start.tv_sec) * 1000000 +
                    (now.tv_nsec - call->start.tv_nsec) / 1000);
        errno = kept;
    }
    if (planned_fault != GFAPI_LOSE_ANSWER || call->number != planned_at)
        return false;
    met = call->name;
    errno = planned_error;
    return true;
}

/* WRAP(type, name, parameters, arguments, what it answers when it fails, what undoes a success
 * whose answer is lost, so that this process leaks nothing) */
#define WRAP(type, name, parameters, arguments, failure, undo)                                     \
    type name parameters {                                                                         \
        static type(*real) parameters;                                                             \
        struct call call = begin(#name);                                                           \
        type answer;                                                                               \
                                                                                                   \
        if (!real)                                                                                 \
            real = (type(*) parameters)real_function(#name);                                       \
        if (refused(&call))                                                                        \
            return failure;                                                                        \
        answer = real arguments;                                                                   \
        if (end(&call)) {                                                                          \
            undo;                                                                                  \
            errno = planned_error;                                                                  \
            return failure;                                                                        \
        }                                                                                          \
        return answer;                                                                             \
    }
#define NOTHING (void)answer
#define CLOSE_OBJECT if (answer) glfs_h_close(answer)

/* As WRAP, for what gives up a handle: that is given up in any case. */
#define WRAP_CLOSE(name)                                                                           \
    int name(glfs_fd_t *fd) {                                                                      \
        static int (*real)(glfs_fd_t *);                                                           \
        struct call call = begin(#name);                                                           \
        int answer;                                                                                \
                                                                                                   \
        if (!real)                                                                                 \
            real = (int (*)(glfs_fd_t *))real_function(#name);                                     \
        answer = real(fd);                                                                         \
        if (refused(&call))                                                                        \
            return -1;                                                                             \
        return end(&call) ? -1 : answer;                                                           \
    }

/* clang-format off */
WRAP(int, glfs_init, (glfs_t *fs), (fs), -1, NOTHING)

WRAP(glfs_object_t *, glfs_h_lookupat,
     (glfs_t *fs, glfs_object_t *parent, const char *path, struct stat *stat, int follow),
     (fs, parent, path, stat, follow), NULL, CLOSE_OBJECT)
WRAP(glfs_object_t *, glfs_h_mkdir,
     (glfs_t *fs, glfs_object_t *parent, const char *path, mode_t mode, struct stat *stat),
     (fs, parent, path, mode, stat), NULL, CLOSE_OBJECT)
WRAP(glfs_object_t *, glfs_h_creat_open,
     (glfs_t *fs, glfs_object_t *parent, const char *path, int flags, mode_t mode,
      struct stat *stat, glfs_fd_t **fd),
     (fs, parent, path, flags, mode, stat, fd), NULL,
     CLOSE_OBJECT; if (answer) { glfs_close(*fd); *fd = NULL; })
WRAP(glfs_object_t *, glfs_h_create_from_handle,
     (glfs_t *fs, unsigned char *handle, int size, struct stat *stat), (fs, handle, size, stat), NULL,
     CLOSE_OBJECT)
WRAP(glfs_fd_t *, glfs_h_open, (glfs_t *fs, glfs_object_t *object, int flags),
     (fs, object, flags), NULL, if (answer) glfs_close(answer))
WRAP(glfs_fd_t *, glfs_h_opendir, (glfs_t *fs, glfs_object_t *object),
     (fs, object), NULL, if (answer) glfs_closedir(answer))
WRAP(int, glfs_h_link,
     (glfs_t *fs, glfs_object_t *target, glfs_object_t *parent, const char *name),
     (fs, target, parent, name), -1, NOTHING)
WRAP(int, glfs_h_unlink, (glfs_t *fs, glfs_object_t *parent, const char *path),
     (fs, parent, path), -1, NOTHING)
WRAP(int, glfs_h_access, (glfs_t *fs, glfs_object_t *object, int mask), (fs, object, mask), -1,
     NOTHING)
WRAP(int, glfs_h_stat, (glfs_t *fs, glfs_object_t *object, struct stat *stat),
     (fs, object, stat), -1, NOTHING)
WRAP(int, glfs_h_statfs, (glfs_t *fs, glfs_object_t *object, struct statvfs *stat),
     (fs, object, stat), -1, NOTHING)
WRAP(int, glfs_h_setattrs, (glfs_t *fs, glfs_object_t *object, struct stat *stat, int valid),
     (fs, object, stat, valid), -1, NOTHING)
WRAP(int, glfs_h_readlink, (glfs_t *fs, glfs_object_t *object, char *target, size_t size),
     (fs, object, target, size), -1, NOTHING)
WRAP(int, glfs_h_getxattrs,
     (glfs_t *fs, glfs_object_t *object, const char *name, void *value, size_t size),
     (fs, object, name, value, size), -1, NOTHING)
WRAP(int, glfs_h_setxattrs,
     (glfs_t *fs, glfs_object_t *object, const char *name, const void *value, size_t size,
      int flags),
     (fs, object, name, value, size, flags), -1, NOTHING)
WRAP(ssize_t, glfs_h_anonymous_read,
     (glfs_t *fs, glfs_object_t *object, const void *buffer, size_t count, off_t offset),
     (fs, object, buffer, count, offset), -1, NOTHING)

WRAP(int, glfs_xreaddirplus_r,
     (glfs_fd_t *fd, uint32_t flags, glfs_xreaddirp_stat_t **details, struct dirent *storage,
      struct dirent **entry),
     (fd, flags, details, storage, entry), -1,
     if (*details) glfs_free(*details); *details = NULL; (void)answer)

WRAP(ssize_t, glfs_pread,
     (glfs_fd_t *fd, void *buffer, size_t count, off_t offset, int flags,
      struct glfs_stat *after),
     (fd, buffer, count, offset, flags, after), -1, NOTHING)
WRAP(ssize_t, glfs_pwrite,
     (glfs_fd_t *fd, const void *buffer, size_t count, off_t offset, int flags,
      struct glfs_stat *before, struct glfs_stat *after),
     (fd, buffer, count, offset, flags, before, after), -1, NOTHING)
WRAP(int, glfs_ftruncate,
     (glfs_fd_t *fd, off_t length, struct glfs_stat *before, struct glfs_stat *after),
     (fd, length, before, after), -1, NOTHING)
WRAP(int, glfs_fallocate, (glfs_fd_t *fd, int keep_size, off_t offset, size_t length),
     (fd, keep_size, offset, length), -1, NOTHING)
WRAP(int, glfs_discard, (glfs_fd_t *fd, off_t offset, size_t length), (fd, offset, length), -1,
     NOTHING)
WRAP(glfs_fd_t *, glfs_dup, (glfs_fd_t *fd), (fd), NULL, if (answer) glfs_close(answer))
WRAP(off_t, glfs_lseek, (glfs_fd_t *fd, off_t offset, int whence), (fd, offset, whence), -1,
     NOTHING)
WRAP(int, glfs_fsync, (glfs_fd_t *fd, struct glfs_stat *before, struct glfs_stat *after),
     (fd, before, after), -1, NOTHING)
WRAP(int, glfs_futimens, (glfs_fd_t *fd, const struct timespec times[2]), (fd, times), -1,
     NOTHING)
WRAP(int, glfs_fstat, (glfs_fd_t *fd, struct stat *stat), (fd, stat), -1, NOTHING)
WRAP(int, glfs_posix_lock, (glfs_fd_t *fd, int command, struct flock *lock),
     (fd, command, lock), -1, NOTHING)

WRAP_CLOSE(glfs_close)
WRAP_CLOSE(glfs_closedir)
/* clang-format on */
