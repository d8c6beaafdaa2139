// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg {

// A stream of a volume's bytes, seen from the side of libvirt. Its event loop watches
// descriptor() and calls in when that is readable (download) or writable (upload); threads of the
// transfer's own talk to gluster. All calls are thread-safe and none waits for gluster, but where
// it says so.
//
// The threads hold the file until they have ended, which takes as long as gluster lets a call hang,
// whatever becomes of the stream.
class Transfer {
  public:
    virtual ~Transfer() = default;

    // A copy of the descriptor to watch; the caller closes it.
    virtual Result<int> descriptor() = 0;

    // An upload takes bytes: how many of them, at least one, or nothing where it cannot take any
    // now; with `wait` it waits. What the threads met while they wrote is told here.
    virtual Result<std::optional<std::size_t>> send(std::span<const std::byte> bytes, bool wait);

    // An upload is to have this many zeros next, as a hole: never refused for want of room, and
    // what the threads met is told later, since libvirt loses the words of an error here
    // (remote_daemon_stream.c, daemonStreamHandleHole). A download passes over as many bytes, no
    // more than next_section() has told.
    virtual Result<void> hole(std::uint64_t length) = 0;

    // A download gives bytes: how many, 0 at the end, or nothing where there are none yet; with
    // `wait` it waits. Holes are zeros.
    virtual Result<std::optional<std::size_t>> receive(std::span<std::byte> buffer, bool wait);

    // What a download gives next, as far as it is known: that much data, or a hole. Both 0 at the
    // end. Waits for the download's threads, a second at most.
    struct Section {
        bool data = false;
        std::uint64_t length = 0;
    };
    virtual Result<Section> next_section();

    // The caller has had or given all that it wants. An upload is complete after this: written,
    // padded where it is a qcow2 image, flushed, its format recorded. Waits for that for a second
    // at most, being called in libvirtd's event loop; an upload keeps so little unflushed that it
    // suffices (upload.cpp). ErrorKind::not_connected when it did not, with the work still going
    // on. Nothing else may be called afterwards.
    virtual Result<void> finish() = 0;

    // Ends without an answer, and waits for a fifth of a second at most. Nothing else may be called
    // afterwards.
    virtual void abort() = 0;
};

// How long finish() and abort() wait for gluster: they are called in libvirtd's event loop.
inline constexpr std::chrono::milliseconds kFinishLimit{1000};
inline constexpr std::chrono::milliseconds kAbortLimit{200};

// Reads `range` of `file`, which lies within it. `who` names the volume in errors and in the log.
// With `sparse` next_section() tells holes also where the file cannot: runs of zeros are taken for
// them.
Result<std::shared_ptr<Transfer>> start_download(std::string who, std::shared_ptr<ByteSource> file,
                                                 Extent range, bool sparse);

// Writes to `file` from `offset` on and grows it when it must; what is behind the uploaded bytes
// stays. `limit` bytes at the most; 0: any number. At the end `complete` is called, with the end of
// what was written, to make the upload durable.
using CompleteUpload = std::function<Result<void>(std::uint64_t end)>;
Result<std::shared_ptr<Transfer>> start_upload(std::string who, std::shared_ptr<ByteSource> file,
                                               std::uint64_t offset, std::uint64_t limit,
                                               CompleteUpload complete);

}  // namespace sfg
