// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/command/difference.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::command {
namespace {

// A file for another program to read; only its owner may.
class ScratchFile {
  public:
    explicit ScratchFile(const std::string& text) {
        const int fd = mkstemp(path_.data());
        if (fd < 0) return;
        close(fd);
        std::ofstream(path_) << text;
    }
    ~ScratchFile() { unlink(path_.c_str()); }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/sf-gluster.XXXXXX";
};

}  // namespace

std::string difference(const std::string& name, const std::string& before,
                       const std::string& after) {
    if (before == after) return "";
    const ScratchFile old_text(before), new_text(after);
    const std::string command = "diff --unified --label " + hooks::shell_word(name) + " --label " +
                                hooks::shell_word(name + " (new)") + " " + old_text.path() + " " +
                                new_text.path();
    std::string output;
    FILE* const diff = popen(command.c_str(), "re");
    if (diff == nullptr) return "";
    std::array<char, 4096> buffer;
    for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), diff)) > 0;)
        output.append(buffer.data(), got);
    pclose(diff);
    return output;
}

}  // namespace sfg::command
