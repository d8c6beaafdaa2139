// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "driver/chains/backing.hpp"
#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"
#include "driver/qcow2/create.hpp"

namespace sfg {

// A volume as it is asked for.
struct VolumeRequest {
    std::string name;            // below the pool's directory
    bool directory = false;      // type='netdir'
    std::string format = "raw";  // libvirt's name
    std::uint64_t capacity = 0;  // bytes; 0 with a base: the base's
    // Bytes to have on disk at once: raw reserves them; qcow2 that preallocates reserves its data
    // when they reach the capacity.
    std::uint64_t allocation = 0;
    bool preallocate_metadata = false;
    std::uint64_t cluster_size = 0;  // bytes; 0: qcow2's default
    std::string compat;              // "0.10", "1.1" or empty
    // The features were named, perhaps none of them: compat is then 1.1 for libvirt.
    bool has_features = false;
    bool lazy_refcounts = false;
    bool extended_l2 = false;
    bool unknown_features = false;
    bool encrypted = false;
    std::optional<BackingRequest> backing;
    std::optional<mode_t> mode;
    std::optional<uid_t> owner;
    std::optional<gid_t> group;
};

// What can be told without asking gluster. Makes no call, so it may run under libvirt's pool lock.
Result<void> check_request(const Pool& pool, const VolumeRequest& request);

// The image that a qcow2 request asks for.
qcow2::CreateOptions qcow2_options(const VolumeRequest& request, const std::optional<Base>& base);

// libvirt hands qemu-img whole KiB and so rounds odd sizes up; ours come out the same.
std::uint64_t rounded_capacity(std::uint64_t bytes);

// Makes the volume: under a temporary name, flushed, then linked to its own. Parents that are
// missing are made and marked, so that they go with their last volume. Whatever happens there is
// either the whole volume or none. ErrorKind::exists where the name is taken by now.
Result<void> create_volume(const OpenPool& pool, const VolumeRequest& request);

}  // namespace sfg
