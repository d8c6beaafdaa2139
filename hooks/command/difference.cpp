// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/command/difference.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "driver/core/fd.hpp"
#include "hooks/rewrite/shell_word.hpp"

namespace sfg::command {
namespace {

// A text that another program reads as /dev/fd/N.
Result<Fd> file_with(const std::string& text) {
    Fd file(memfd_create("document", 0));
    if (!file.ok() || ftruncate(file.get(), static_cast<off_t>(text.size())) < 0 ||
        pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        return Error::from_errno(errno, "cannot keep a document");
    return file;
}

}  // namespace

Result<std::string> difference(const std::string& name, const std::string& before,
                               const std::string& after) {
    if (before == after) return std::string();
    SFG_TRY_ASSIGN(const Fd old_text, file_with(before));
    SFG_TRY_ASSIGN(const Fd new_text, file_with(after));
    const std::string command = "diff --unified --label " + hooks::shell_word(name) + " --label " +
                                hooks::shell_word(name + " (new)") + " /dev/fd/" +
                                std::to_string(old_text.get()) + " /dev/fd/" +
                                std::to_string(new_text.get());
    FILE* const diff = popen(command.c_str(), "re");
    if (diff == nullptr) return Error::from_errno(errno, "cannot run diff");
    std::string output;
    std::array<char, 4096> buffer;
    for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), diff)) > 0;)
        output.append(buffer.data(), got);
    if (pclose(diff) < 0 || output.empty())
        return Error(ErrorKind::io, "diff does not say what would change");
    return output;
}

}  // namespace sfg::command
