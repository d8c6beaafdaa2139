// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A name as an image records it, and the same bytes as a VMDK that names its extents. Whatever they
// are, there is an answer, it is short, and what it says of a file has the form that it should
// have.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "driver/core/path.hpp"
#include "driver/images/recorded_name.hpp"
#include "driver/images/vmdk_extents.hpp"

namespace {

using namespace sfg;
using Kind = NamedFile::Kind;

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const NamedFile& file) {
    require((file.kind == Kind::gluster) == !file.volume.empty());
    switch (file.kind) {
        case Kind::gluster:
            require(is_volume_name(file.volume));
            require(normalized(file.path) == file.path);
            break;
        case Kind::local:
            require(file.path.starts_with('/') && "/" + *normalized(file.path) == file.path);
            break;
        case Kind::relative:
        case Kind::working_directory:
            require(!file.path.empty() && !file.path.starts_with("/dev/fdset/"));
            break;
        case Kind::elsewhere:
        case Kind::unknown:
            require(file.path.empty() && file.servers.empty());
    }
    require(file.path.find('\0') == std::string::npos);
}

void check(const RecordedName& name, std::size_t size) {
    require(!name.files.empty() && name.files.size() <= size + 2);
    for (const auto& file : name.files) check(file);
    const Kind first = name.files.front().kind;
    require(!name.plain || (first != Kind::unknown && first != Kind::elsewhere));
    require(name.format.empty() || name.plain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    check(read_recorded_name(text), size);
    check(read_data_file_name(text), size);
    // Most of what is behind it is JSON's.
    check(read_recorded_name("json:" + text), size + 5);
    check(read_recorded_name("gluster://" + text), size + 10);

    const auto bytes = std::as_bytes(std::span(data, size));
    const auto extents =
        vmdk_extents(bytes, [&](std::uint64_t offset, std::span<std::byte> buffer) {
            const std::size_t from = std::min<std::uint64_t>(offset, size);
            const std::size_t length = std::min(buffer.size(), size - from);
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), length, buffer.begin());
            return Result<std::size_t>(length);
        });
    for (const auto& name : extents) check(read_data_file_name(name), name.size());
    return 0;
}
