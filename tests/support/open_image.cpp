// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/open_image.hpp"

#include "tests/support/lab.hpp"

namespace sfg::test {
namespace {

constexpr char kPrompt[] = "qemu-io> ";

std::vector<std::string> qemu_io(int host, const std::string& path, const std::string& format,
                                 OpenImage::Access access) {
    // The lab's own words go elsewhere; what qemu-io says comes here.
    std::vector<std::string> words{SFG_SOURCE_DIR "/tests/lab/lab",
                                   "-q",
                                   "exec",
                                   Lab::instance().name(),
                                   "--host",
                                   std::to_string(host),
                                   "--",
                                   "qemu-io",
                                   "-f",
                                   format};
    if (access == OpenImage::Access::read_only) words.emplace_back("-r");
    words.push_back(path);
    return words;
}

}  // namespace

OpenImage::OpenImage(int host, const std::string& path, const std::string& format, Access access)
    : process_(qemu_io(host, path, format, access), kPrompt) {}

bool OpenImage::command(const std::string& words) {
    const std::size_t from = process_.said().size();
    process_.write(words + "\n");
    return process_.wait_for(kPrompt) && process_.said().find("failed", from) == std::string::npos;
}

}  // namespace sfg::test
