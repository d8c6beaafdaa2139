// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg {

// Copies what one image shows into another of another format, by qemu-img in a cage: README.md
// here says what the cage is. No name that stands in an image is followed.

// A file of the conversion.
struct ConvertFile {
    // Index in ConvertJob::volumes; without it `path` is an absolute path of this host.
    std::optional<std::size_t> volume;
    // Below the gluster volume's root, such as "instances/x/vda". Links on it are refused. Of a
    // local file only the last component may be no link; it is a regular file or a block device.
    std::string path;
    // Gluster's text form, such as "8a2e...-...": the file must be this one. Needed with `volume`,
    // not looked at without.
    std::string gfid;
    // Of a local file that is read: the caller's descriptor of it, open for reading. It is handed
    // over, and `path` is for messages only. A path may lead elsewhere by now, and that of a
    // logical volume is a link, /dev/GROUP/NAME.
    std::optional<int> descriptor = {};
};

// One image of a chain.
struct ConvertNode {
    std::string format;  // qemu's name
    ConvertFile file;
};

struct ConvertTarget {
    std::string format;  // qemu's name
    ConvertFile file;    // exists under its temporary name
    // false: `file` is empty, and becomes an image of the source's capacity with `options`.
    // true: `file` is a freshly made image, at least as large as the source, with nothing written
    // in it: without `bases` it reads as zeros, which then stay holes.
    bool made = false;
    // With `made`: what the image has as bases, the nearest one first. The target then reads as
    // the source does; what the source reads as zeros hides the base.
    std::vector<ConvertNode> bases;
    // Without `made`: qemu-img's -o, such as {"compat", "1.1"}, {"cluster_size", "65536"},
    // {"preallocation", "metadata"}, {"lazy_refcounts", "on"}. Names of files have no place here.
    std::vector<std::pair<std::string, std::string>> options;
};

struct ConvertJob {
    std::vector<VolumeAddress> volumes;  // mounted for the conversion; may be none
    std::vector<ConvertNode> source;     // the top image first, then its bases; at least one
    ConvertTarget target;
};

// Percent, 0 to 100, growing. Called on the caller's thread.
using ConvertProgress = std::function<void(double percent)>;

// Which programs do it and how long they may take; tests put others in.
struct ConvertTools {
    std::string helper;  // empty: sfgluster-convert beside this library
    std::string qemu_img = "/usr/bin/qemu-img";
    std::string glusterfs = "/usr/sbin/glusterfs";
    // qemu-img runs as the first of these that may open all files, else as root without
    // capabilities but those that pass over permissions.
    std::vector<std::string> users = {"libvirt-qemu", "nobody"};
    std::chrono::milliseconds mount_limit{30'000};
    // How long nothing at all may move: neither the percentage nor a byte read or written.
    std::chrono::milliseconds stall_limit{600'000};
};

// Runs the conversion to its end: the target's bytes are flushed, and a qcow2 target is padded to
// whole clusters and was checked. Whatever the end, no process and no mount is left. After a
// failure the target holds anything.
//
// Locks of gluster's on the files do not matter here; holding them is the caller's business.
//
// Errors: unsupported where a program is missing (names the package), not_connected where gluster
// cannot be mounted or nothing moves, no_space, denied for links and for files that are not the
// expected ones, ECANCELED (kind io) after `stop`, and qemu-img's own words with kind io.
Result<void> convert_image(const ConvertJob& job, const ConvertProgress& progress = {},
                           std::stop_token stop = {}, const ConvertTools& tools = {});

}  // namespace sfg
