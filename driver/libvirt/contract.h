/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the C shims and the C++ driver say to each other: plain structs and functions, nothing of
 * libvirt and nothing of C++. No ownership crosses in either direction: what a caller passes is
 * the caller's, what a callback is given is valid until it returns.
 *
 * A function that can fail returns 0, or -1 with `error` filled. Sizes are in bytes. Strings are
 * UTF-8 and end with NUL; NULL where "not given" is allowed. No function is called with a C++
 * exception pending and none lets one out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* Raised with every change below, so that an ABI module never runs with another library. */
#define SFG_CONTRACT_VERSION 5
int sfg_contract_version(void);

enum sfg_error_kind {
    SFG_ERROR_NOT_FOUND,
    SFG_ERROR_POOL_MISSING,
    SFG_ERROR_EXISTS,
    SFG_ERROR_INVALID,
    SFG_ERROR_UNSUPPORTED,
    SFG_ERROR_CORRUPT,
    SFG_ERROR_BUSY,
    SFG_ERROR_NO_SPACE,
    SFG_ERROR_DENIED,
    SFG_ERROR_NOT_CONNECTED,
    SFG_ERROR_IO,
};

struct sfg_error {
    enum sfg_error_kind kind;
    int system_errno; /* 0: not from a call */
    char message[2048];
};

enum sfg_log_level { SFG_LOG_DEBUG, SFG_LOG_INFO, SFG_LOG_WARNING, SFG_LOG_ERROR };
typedef void (*sfg_log_sink)(enum sfg_log_level level, const char *message);
void sfg_set_log_sink(sfg_log_sink sink);

/* What a header says, for formats other than qcow2. */
enum sfg_encryption { SFG_ENCRYPTION_NONE, SFG_ENCRYPTION_QCOW, SFG_ENCRYPTION_LUKS };

struct sfg_probed {
    const char *format; /* libvirt's name, a string that lives as long as the process */
    uint64_t capacity;  /* 0: the header does not say */
    enum sfg_encryption encryption;
    char backing[4096]; /* empty: none, or too long to be one */
    char backing_format[32];
};

/* Fills `probed`, zeroed before, from the first bytes of a file. Called from any thread. */
typedef void (*sfg_prober)(const void *start, size_t length, struct sfg_probed *probed);
void sfg_set_prober(sfg_prober prober);

/* Tells of each guest that is active on this host: whether its user has paused it, and its XML.
 * Called from a thread that holds nothing; may wait as long as it likes. Not 0: it cannot be told. */
typedef void (*sfg_guest_visitor)(void *opaque, bool paused, const char *xml);
typedef int (*sfg_guest_lister)(sfg_guest_visitor visit, void *opaque);
void sfg_set_guest_lister(sfg_guest_lister lister);

struct sfg_server {
    const char *host;
    int port; /* 0: gluster's default */
};

struct sfg_pool {
    const char *name;
    const char *volume;
    const char *directory; /* begins with '/', or NULL for the root */
    const struct sfg_server *servers;
    size_t server_count;
};

struct sfg_volume {
    const char *name;
    const char *uri; /* key and path */
    bool directory;
    const struct stat *stat;
    const char *format;
    uint64_t capacity;
    uint64_t cluster_size; /* 0: none */
    const char *compat;    /* empty: not shown, and so are the features */
    bool lazy_refcounts;
    bool extended_l2;
    enum sfg_encryption encryption;
    const char *backing; /* NULL: none */
    const char *backing_format; /* empty: the image does not say */
};

/* Returns 0 to go on; anything else ends the listing, which then fails. */
typedef int (*sfg_volume_visitor)(void *opaque, const struct sfg_volume *volume);

struct sfg_usage {
    uint64_t capacity;
    uint64_t allocation;
    uint64_t available;
};

struct sfg_request {
    const char *name;
    bool directory;
    const char *format;
    uint64_t capacity; /* 0 with a base: the base's */
    uint64_t allocation;
    bool preallocate_metadata;
    uint64_t cluster_size; /* 0: the default */
    const char *compat;    /* NULL: not given */
    bool has_features;
    bool lazy_refcounts;
    bool extended_l2;
    bool unknown_features;
    bool encrypted;
    const char *backing; /* NULL: none */
    const char *backing_format;
    mode_t mode;  /* (mode_t)-1, (uid_t)-1, (gid_t)-1: not given */
    uid_t owner;
    gid_t group;
};

/* A visitor's refusal is told by SFG_ERROR_IO with an empty message: it has reported itself. */
int sfg_pool_refresh(const struct sfg_pool *pool, sfg_volume_visitor visit, void *opaque,
                     struct sfg_usage *usage, struct sfg_error *error);
int sfg_pool_build(const struct sfg_pool *pool, struct sfg_error *error);
int sfg_pool_delete(const struct sfg_pool *pool, struct sfg_error *error);
/* The pool is not active any more. Never fails; the connection stays. */
void sfg_pool_stopped(const struct sfg_pool *pool);

/* Checks a request without a gluster call and tells the volume's uri: at most `size` bytes with
 * the NUL. */
int sfg_volume_check(const struct sfg_pool *pool, const struct sfg_request *request, char *uri,
                     size_t size, struct sfg_error *error);
int sfg_volume_create(const struct sfg_pool *pool, const struct sfg_request *request,
                      struct sfg_error *error);

/* What a new volume is to be a copy of. */
struct sfg_source {
    const char *path;   /* a gluster URI, or a path of this host */
    const char *format; /* libvirt's name; looks at the volume itself where that is in gluster */
};
int sfg_volume_clone(const struct sfg_pool *pool, const struct sfg_request *request,
                     const struct sfg_source *source, struct sfg_error *error);

/* The creation of a volume was refused before the above were called: the deletion that libvirt asks
 * for next has nothing to remove. */
void sfg_volume_not_made(const struct sfg_pool *pool, const char *name);

/* How much of a volume that is being built is there; false where nothing is known. Makes no gluster
 * call. */
bool sfg_volume_build_progress(const struct sfg_pool *pool, const char *name, uint64_t *bytes);

/* Whether `uri` is the URI of the pool's volume `name`. Makes no gluster call. */
bool sfg_volume_has_uri(const struct sfg_pool *pool, const char *name, const char *uri);

int sfg_volume_look(const struct sfg_pool *pool, const char *name, sfg_volume_visitor visit,
                    void *opaque, struct sfg_error *error);
int sfg_volume_delete(const struct sfg_pool *pool, const char *name, struct sfg_error *error);

/* May take as long as gluster takes to allocate or overwrite: not under libvirt's pool lock. */
int sfg_volume_resize(const struct sfg_pool *pool, const char *name, uint64_t capacity,
                      bool allocate, bool shrink, struct sfg_error *error);

enum sfg_wipe { SFG_WIPE_ZERO, SFG_WIPE_TRIM, SFG_WIPE_RANDOM };
int sfg_volume_wipe(const struct sfg_pool *pool, const char *name, enum sfg_wipe method,
                    struct sfg_error *error);

/*
 * Streams of a volume's bytes. `stream` is the caller's identity of one, any address that is its
 * own from the beginning to finish or abort. None of these waits for gluster, but where it says so.
 */

/* Give a descriptor, the caller's to close, that is readable when a download has something to tell
 * and writable when an upload takes something; it carries no bytes. `length` 0: to the end. */
int sfg_stream_download(const void *stream, const struct sfg_pool *pool, const char *name,
                        uint64_t offset, uint64_t length, bool sparse, int *descriptor,
                        struct sfg_error *error);
int sfg_stream_upload(const void *stream, const struct sfg_pool *pool, const char *name,
                      uint64_t offset, uint64_t length, int *descriptor,
                      struct sfg_error *error);

#define SFG_STREAM_AGAIN (-2) /* nothing can be had or taken now */

/* How many bytes, SFG_STREAM_AGAIN or -1. With `wait` they wait; 0 bytes received: the end. */
ssize_t sfg_stream_send(const void *stream, const char *bytes, size_t size, bool wait,
                        struct sfg_error *error);
ssize_t sfg_stream_receive(const void *stream, char *buffer, size_t size, bool wait,
                           struct sfg_error *error);

/* An upload gets that many zeros as a hole; a download passes over as many bytes. */
int sfg_stream_hole(const void *stream, uint64_t length, struct sfg_error *error);

/* What a download gives next: data or a hole of `length` bytes; 0 at the end. Waits for a second at
 * most. */
int sfg_stream_next(const void *stream, bool *data, uint64_t *length, struct sfg_error *error);

/* From now on poll(2) tells of an error on the descriptor that the stream began with, which the
 * caller must not have closed. */
void sfg_stream_alarm(const void *stream);

/* The end of a stream; it is forgotten. Finish waits for a second at most. */
int sfg_stream_finish(const void *stream, struct sfg_error *error);
void sfg_stream_abort(const void *stream);

/*
 * Images of guests' disks, as libvirt's qemu driver names them: by a gluster volume and a path in
 * it. These wait for gluster a few times connect-timeout of the configuration at the most.
 */

struct sfg_disk_server {
    const char *host;   /* NULL where there is a socket */
    int port;           /* 0: gluster's default */
    const char *socket; /* of glusterd on this host, or NULL */
};

struct sfg_disk {
    const char *volume;
    const char *path; /* from the volume's root, with a leading '/' or without */
    const struct sfg_disk_server *servers;
    size_t server_count;
    bool named_by_image; /* by nothing but the header of an image: whom it names is not trusted */
};

/* Sees to it that the volume answers. In a child that was forked from a process that uses gluster it
 * does nothing, and sfg_disk_chown is done by the parent; the others fail there. */
int sfg_disk_connect(const struct sfg_disk *disk, struct sfg_error *error);
int sfg_disk_stat(const struct sfg_disk *disk, struct stat *stat, struct sfg_error *error);
/* How many bytes were read into `buffer`, fewer than asked for only at the end; or -1. */
ssize_t sfg_disk_read(const struct sfg_disk *disk, uint64_t offset, char *buffer, size_t size,
                      struct sfg_error *error);
/* `mode` as access(2) takes it. */
int sfg_disk_access(const struct sfg_disk *disk, int mode, uid_t user, gid_t group,
                    struct sfg_error *error);
/* Of an empty file; one that is there already is an error. */
int sfg_disk_create(const struct sfg_disk *disk, struct sfg_error *error);
int sfg_disk_unlink(const struct sfg_disk *disk, struct sfg_error *error);
int sfg_disk_chown(const struct sfg_disk *disk, uid_t user, gid_t group, struct sfg_error *error);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
