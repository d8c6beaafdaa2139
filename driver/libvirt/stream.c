/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Streams as libvirt calls them. The object is an FDStream (virfdstream.c): its event callbacks,
 * its closing and the hook that refreshes the pool after an upload (storage_driver.c,
 * storageVolUpload) stay libvirt's. Only what moves bytes is ours, since the descriptor carries
 * none and an FDStream without a file cannot have holes.
 */

#define _GNU_SOURCE
#include <config.h>

#include "driver/libvirt/stream.h"

#include <unistd.h>

#include "datatypes.h"
#include "driver-stream.h"
#include "driver/libvirt/contract.h"
#include "driver/libvirt/report.h"
#include "virerror.h"
#include "virfdstream.h"

#define VIR_FROM_THIS VIR_FROM_STREAMS

static virStreamDriver fd_stream; /* libvirt's */
static virStreamDriver ours;

static bool may_wait(virStreamPtr stream) {
    return !(stream->flags & VIR_STREAM_NONBLOCK);
}

static int answer(ssize_t moved, const struct sfg_error *error) {
    if (moved == -1)
        sfg_report(error);
    return (int)moved;
}

/* libvirt counts in int. */
static size_t at_most(size_t bytes) {
    return MIN(bytes, (size_t)1 << 30);
}

/*
 * libvirtd cannot be told here that it went wrong: since some version after 9.0.0, 11.3.0 among
 * them, it puts the message whose bytes are refused into its answers twice, which makes a ring of
 * them, and walks round that for ever with all its clients waiting (remote_daemon_stream.c,
 * daemonStreamHandleWrite, which looks at the status from before daemonStreamHandleWriteData has
 * sent the error). So the bytes are left where they are, as though there were no room, and the
 * descriptor tells of an error. At that libvirtd asks once more, and then ends the stream with the
 * error that it finds set (daemonStreamEvent).
 */
static int stream_send(virStreamPtr stream, const char *data, size_t size) {
    struct sfg_error error;
    ssize_t sent = sfg_stream_send(stream, data, at_most(size), may_wait(stream), &error);

    if (sent == -1 && !may_wait(stream)) {
        sfg_stream_alarm(stream);
        sfg_report(&error);
        return SFG_STREAM_AGAIN;
    }
    return answer(sent, &error);
}

static int stream_receive(virStreamPtr stream, char *data, size_t size) {
    struct sfg_error error;

    return answer(sfg_stream_receive(stream, data, at_most(size), may_wait(stream), &error),
                  &error);
}

static int stream_in_data(virStreamPtr stream, int *in_data, long long *length) {
    struct sfg_error error;
    bool data = false;
    uint64_t bytes = 0;

    if (sfg_stream_next(stream, &data, &bytes, &error) < 0)
        return answer(-1, &error);
    *in_data = data;
    *length = (long long)bytes;
    return 0;
}

static int stream_send_hole(virStreamPtr stream, long long length, unsigned int flags) {
    struct sfg_error error;

    virCheckFlags(0, -1);

    return answer(sfg_stream_hole(stream, (uint64_t)length, &error), &error);
}

static int stream_receive_hole(virStreamPtr stream, long long *length, unsigned int flags) {
    int in_data = 0;

    virCheckFlags(0, -1);

    if (stream_in_data(stream, &in_data, length) < 0)
        return -1;
    if (in_data)
        *length = 0;
    return *length > 0 ? stream_send_hole(stream, *length, 0) : 0;
}

static int stream_receive_flags(virStreamPtr stream, char *data, size_t size, unsigned int flags) {
    int in_data = 0;
    long long length = 0;

    virCheckFlags(VIR_STREAM_RECV_STOP_AT_HOLE, -1);

    if (flags & VIR_STREAM_RECV_STOP_AT_HOLE) {
        if (stream_in_data(stream, &in_data, &length) < 0)
            return -1;
        if (!in_data && length > 0)
            return -3; /* as virStreamRecvFlags has it */
        size = MIN(size, (size_t)length);
    }
    return stream_receive(stream, data, size);
}

/* Closing an FDStream starts the refresh of the pool, so what was uploaded is complete before. */
static int stream_finish(virStreamPtr stream) {
    struct sfg_error error;
    int finished = sfg_stream_finish(stream, &error);
    int closed = fd_stream.streamFinish(stream);

    return finished < 0 ? answer(-1, &error) : closed;
}

static int stream_abort(virStreamPtr stream) {
    sfg_stream_abort(stream);
    return fd_stream.streamAbort(stream);
}

static void learn_fd_stream(const virStreamDriver *found) {
    static gsize learned;

    if (!g_once_init_enter(&learned))
        return;
    fd_stream = *found;
    ours = *found;
    ours.streamSend = stream_send;
    ours.streamRecv = stream_receive;
    ours.streamRecvFlags = stream_receive_flags;
    ours.streamSendHole = stream_send_hole;
    ours.streamRecvHole = stream_receive_hole;
    ours.streamInData = stream_in_data;
    ours.streamFinish = stream_finish;
    ours.streamAbort = stream_abort;
    g_once_init_leave(&learned, 1);
}

int sfg_stream_attach(virStreamPtr stream, int descriptor) {
    if (virFDStreamOpen(stream, descriptor) < 0) {
        close(descriptor);
        sfg_stream_abort(stream);
        return -1;
    }
    learn_fd_stream(stream->driver);
    stream->driver = &ours;
    return 0;
}
