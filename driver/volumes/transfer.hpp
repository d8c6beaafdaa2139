// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "driver/core/result.hpp"
#include "driver/volumes/pool.hpp"

namespace sfg {

// A stream of a volume's bytes, seen from the side of libvirt. Its event loop watches
// descriptor() and calls in when that is readable (download) or writable (upload); threads of the
// transfer's own talk to gluster. All calls are thread-safe and none waits for gluster, but where
// it says so.
//
// The volume is held (file_use.hpp) from the beginning until the threads have ended: they go on for
// as long as gluster lets a call hang, whatever becomes of the stream.
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

    // Ends without an answer. Nothing else may be called afterwards.
    virtual void abort() = 0;
};

// What part of a volume.
struct TransferRange {
    std::uint64_t offset = 0;  // bytes
    std::uint64_t length = 0;  // bytes; 0: to the end
};

// A download may run beside others and while overlays are made. With `sparse` next_section() tells
// holes where they can be found; without it they are data.
Result<std::shared_ptr<Transfer>> begin_download(const OpenPool& pool, const std::string& name,
                                                 const TransferRange& range, bool sparse);

// An upload overwrites what the volume holds from `offset` on and grows it when it must; what is
// behind the uploaded bytes stays. ErrorKind::busy for a volume that is in use or that is the base
// of another.
Result<std::shared_ptr<Transfer>> begin_upload(const OpenPool& pool, const std::string& name,
                                               const TransferRange& range);

}  // namespace sfg
