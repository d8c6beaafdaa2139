// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// Whether what an option of `sf-gluster template` says can stand in a document that libvirt takes.
// `option` is its name ("--size"); the errors are ErrorKind::invalid and begin with it.

// Given at all, and without control characters.
Result<void> check_given(const std::string& option, const std::string& value);

// The name of a pool or a guest: no '/', which libvirt refuses.
Result<void> check_name(const std::string& option, const std::string& value);

// The path of an image from the volume's root: no empty component, "." or "..", at most 255 bytes
// each.
Result<void> check_path(const std::string& option, const std::string& value);

// One of two words.
Result<void> check_word(const std::string& option, const std::string& value, const char* one,
                        const char* other);

Result<void> check_volume(const std::string& option, const std::string& value);

// 8-4-4-4-12 hexadecimal digits.
Result<void> check_uuid(const std::string& option, const std::string& value);

// A disk of the virtio bus: "vda" to "vdzz".
Result<void> check_target(const std::string& option, const std::string& value);

// 1 to 4096.
Result<void> check_cpus(const std::string& option, const std::string& value);

// An absolute path, normalized; not "/".
Result<std::string> read_mount(const std::string& option, const std::string& value);

// host, host:port or [IPv6]:port, of a name or an address as libvirt's schema has them.
Result<Server> read_host(const std::string& option, const std::string& value);

// A size as libvirt's documents write it.
struct Size {
    std::string number;
    std::string unit;  // libvirt's: "GiB"
};

// "8G", "512MiB", "10GB": a whole number from 1 and a unit, below 8 EiB together. K, M, G, T, P and
// E are powers of 1024, as for virsh and qemu-img; KB, MB and so on of 1000.
Result<Size> read_size(const std::string& option, const std::string& value);

}  // namespace sfg::hooks
