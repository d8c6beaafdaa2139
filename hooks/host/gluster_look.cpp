// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/gluster_look.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "driver/core/log.hpp"
#include "hooks/host/unprivileged_run.hpp"
#include "hooks/look/look_text.hpp"
#include "hooks/rewrite/server_word.hpp"

namespace sfg::hooks {
namespace {

// Beside this program, or where the private programs are installed.
std::string helper() {
    std::error_code ignored;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    for (const auto& directory : {here, here / SFG_PRIVATE_DIRECTORY}) {
        const auto path = directory / "sfgluster-look";
        if (access(path.c_str(), X_OK) == 0) return path;
    }
    return here / "sfgluster-look";
}

}  // namespace

Result<std::vector<ChainLook>> look_over_gfapi(const VolumeAddress& address,
                                               const std::vector<ImageToLookAt>& images,
                                               std::chrono::milliseconds limit) {
    std::vector<std::string> words{helper(), address.volume};
    for (const auto& server : address.servers) words.push_back(server_word(server));
    std::string input;
    for (const auto& image : images)
        input +=
            image.path + '\0' + image.format + '\0' + (image.and_bases ? "bases" : "top") + '\0';
    SFG_TRY_ASSIGN(const auto said, run_unprivileged(words, input, limit));
    if (said.status != 0)
        return Error(
            ErrorKind::not_connected,
            escaped(said.errors.substr(0, std::min<std::size_t>(said.errors.find('\n'), 300))));
    std::vector<ChainLook> looks;
    std::string_view text = said.output;
    while (looks.size() < images.size()) {
        std::size_t size = 0;
        const auto end = text.find('\0');
        const auto [stopped, fault] =
            std::from_chars(text.data(), text.data() + std::min(end, text.size()), size);
        if (end == std::string_view::npos || fault != std::errc() || size > text.size() - end - 1)
            return Error(ErrorKind::io, "its answer cannot be read");
        looks.push_back(look_from_text(text.substr(end + 1, size)));
        text.remove_prefix(end + 1 + size);
    }
    return looks;
}

}  // namespace sfg::hooks
