// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sfg {

// What the bytes of a volume say it is. Names of formats are libvirt's ("raw", "qcow2", "vmdk").
struct ImageInfo {
    enum class Encryption { none, qcow, luks };

    std::string format = "raw";
    std::uint64_t capacity = 0;      // bytes that a guest sees
    std::uint64_t cluster_size = 0;  // bytes; 0 where the format has none
    std::string compat;              // "1.1" for version 3 of qcow2, else empty, as stock shows it
    bool lazy_refcounts = false;
    bool extended_l2 = false;
    Encryption encryption = Encryption::none;
    // The base as the image names it, and its format where the image says so.
    std::optional<std::string> backing;
    std::string backing_format;
    bool external_data = false;  // the guest's data is in another file
    // Names, as recorded, of files beside the image that hold its data: a qcow2's external data
    // file, a VMDK's extents. Those of a damaged image are among them. For read_data_file_name; ""
    // is a name that is there and cannot be had.
    std::vector<std::string> data_files;
    // One sentence where the header is damaged or not known here; empty otherwise. Such a volume is
    // listed, and its base is not believed.
    std::string damage;
    // What the base of a damaged image, of one of a kind not known here, or of one that was
    // uploaded in another format than qcow2 seems to be. Not to be opened or shown: it only keeps
    // that base from being deleted.
    std::optional<std::string> claimed_backing;
    // The storage did not give the header: nothing above is known.
    bool unreadable = false;
    // A qcow2 whose length is no multiple of 512: qemu reads its last table over FUSE and fails to
    // over gfapi (qemu issue 937).
    bool unpadded = false;
};

// Whether the image needs a file besides its own, as far as can be told.
inline bool names_further_files(const ImageInfo& info) {
    return info.backing || info.claimed_backing || !info.data_files.empty();
}

// Whether what was made of an image that was read as `one` is right for one that reads as `other`.
inline bool is_same_image(const ImageInfo& one, const ImageInfo& other) {
    return one.format == other.format && one.capacity == other.capacity &&
           one.cluster_size == other.cluster_size && one.backing == other.backing &&
           one.damage == other.damage;
}

// Recognises formats other than qcow2 by the first bytes of a file: libvirt's own prober in
// libvirtd, a plain one in tests. `info` comes with the format "raw" and is changed where another
// is found. Called from any thread.
using Prober = void (*)(std::span<const std::byte> start_of_file, ImageInfo& info);

void set_prober(Prober prober);

// How many bytes from the start of a file are looked at: what libvirt's prober wants
// (VIR_STORAGE_MAX_HEADER: the magic of an ISO image is behind 32 KiB).
inline constexpr std::size_t kHeaderBytes = 0x8200;

}  // namespace sfg
