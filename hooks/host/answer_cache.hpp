// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace sfg::hooks {

// Answers by what was asked, in a file that is root's alone: a line "question<TAB>answer" each.
// What cannot be read or written is not there, and the question is asked again. Written as a whole,
// so that of two programs at once the last one's answers stay.
class AnswerCache {
  public:
    static constexpr std::size_t kMost = 64;  // answers

    explicit AnswerCache(std::string path) : path_(std::move(path)) {}

    // An answer that is no older than `age`.
    std::optional<std::string> find(const std::string& question,
                                    std::chrono::seconds age = std::chrono::hours(24 * 365)) const;

    // Neither may have a tab or a line break in it.
    void keep(const std::string& question, const std::string& answer) const;

  private:
    std::string path_;
};

// What an emulator's answer depends on: the program's file, the module with the gluster driver in
// the folders that qemu usually loads it from, and the libraries that ld.so knows. Two states
// differ where any of that was changed, moved or covered by a mount. A program that starts another,
// and a qemu that was built for yet another folder, change unseen.
std::string emulator_state(const std::string& program);

}  // namespace sfg::hooks
