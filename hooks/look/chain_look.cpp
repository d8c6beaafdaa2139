// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/look/chain_look.hpp"

#include <cerrno>
#include <set>

#include "driver/core/path.hpp"
#include "driver/qcow2/header.hpp"

namespace sfg::hooks {
namespace {

constexpr int kDeepest = 64;
constexpr std::uint64_t kSector = 512;  // bytes

ChainLook::Top kind_of(const Error& error) {
    switch (error.system_errno()) {
        case ELOOP:
            return ChainLook::Top::link;
        case EINVAL:
        case EISDIR:
            return ChainLook::Top::other;
        case ENOENT:
        case ENOTDIR:
        case EXDEV:
            return ChainLook::Top::missing;
        default:
            return ChainLook::Top::unknown;
    }
}

// A name that is relative to the image: no protocol ("json:", "gluster://"), not absolute.
bool is_relative(const std::string& base) {
    return !base.starts_with('/') && base.substr(0, base.find('/')).find(':') == std::string::npos;
}

}  // namespace

ChainLook look_at_chain(const ImageToLookAt& image, const OpenImage& open) {
    ChainLook look;
    std::string at = image.path;
    bool raw = image.format == "raw";
    std::set<std::string> seen;
    for (int depth = 0; depth < kDeepest; ++depth) {
        const auto plain = normalized(at);
        const auto file = plain ? open(at)
                                : Result<std::unique_ptr<ByteSource>>(
                                      Error(ErrorKind::not_found, EXDEV, "it leads out"));
        const auto size = file ? (*file)->size() : Result<std::uint64_t>(file.error());
        if (depth == 0) {
            look.top = size ? ChainLook::Top::file : kind_of(size.error());
            if (!size) {
                look.why = size.error().message();
                if (size.error().system_errno() == ENOTCONN)
                    look.failure = ChainLook::Failure::dead;
            }
        }
        if (!size || !seen.insert(*plain).second) return look;
        const Result<qcow2::Header> header =
            raw ? Error(ErrorKind::invalid, "it is raw") : qcow2::read_header(**file);
        // Damage, and features that are not known here, are for qemu to judge.
        const bool is_qcow2 = header || header.error().kind() != ErrorKind::invalid;
        if (*size % kSector != 0) look.unpadded.push_back({*plain, *size, !is_qcow2});
        if (!image.and_bases || !header || !header->backing_file ||
            !is_relative(*header->backing_file))
            return look;
        raw = header->backing_format == "raw";
        at = join_path(parent_of(at), *header->backing_file);
    }
    return look;
}

}  // namespace sfg::hooks
