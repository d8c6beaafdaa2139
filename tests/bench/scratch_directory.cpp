// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/scratch_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace sfg::bench {
namespace {

namespace fs = std::filesystem;

}  // namespace

ScratchDirectory::ScratchDirectory(const std::string& mount)
    : mount_(mount), in_volume_("/bench-" + std::to_string(getpid())) {
    fs::create_directory(mount_ + in_volume_);
}

ScratchDirectory::~ScratchDirectory() {
    std::error_code ignored;
    fs::remove_all(mount_ + in_volume_, ignored);
}

void ScratchDirectory::make_subdirectory(const std::string& name) const {
    fs::create_directory(mount_ + in_volume_ + "/" + name);
}

void ScratchDirectory::touch_all(const std::string& subdirectory) const {
    for (const auto& entry : fs::directory_iterator(mount_ + in_volume_ + "/" + subdirectory))
        if (utimensat(AT_FDCWD, entry.path().c_str(), nullptr, AT_SYMLINK_NOFOLLOW) < 0)
            throw std::system_error(errno, std::generic_category(), entry.path().string());
}

}  // namespace sfg::bench
