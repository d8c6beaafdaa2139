// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sfgluster-look VOLUME SERVER...: looks at images of a gluster volume over gfapi, with the rights
// of whoever runs it: the hook runs it as qemu's user, who will connect to the same servers next.
//
// Standard input has a path, a format and "bases" or "top" for each image, standard output the
// looks in the same order (look_text.hpp), each after a word with its length in bytes. A server is
// a host, host:port, [address]:port or the path of a socket. Exit status 1, with a sentence on
// standard error, where the volume cannot be reached.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>

#include "driver/core/path.hpp"
#include "driver/gluster/connection.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/file.hpp"
#include "hooks/look/look_text.hpp"
#include "hooks/rewrite/server_word.hpp"

namespace {

using namespace sfg;

constexpr std::chrono::milliseconds kLimit{2000};  // for a server that answers

// By the path as it is written: what is ".." of a link is nowhere.
Result<Object> walk(const Object& root, const std::string& path) {
    std::vector<Object> way{root};
    for (const auto& name : path_components(path)) {
        if (way.back().is_link()) return Error::from_errno(ELOOP, path);
        if (name == ".") continue;
        if (name == "..") {
            if (way.size() == 1) return Error::from_errno(EXDEV, path);
            way.pop_back();
            continue;
        }
        SFG_TRY_ASSIGN(auto next, lookup(way.back(), name));
        way.push_back(std::move(next));
    }
    return way.back();
}

Result<std::unique_ptr<ByteSource>> open_image(const Object& root, const std::string& path) {
    SFG_TRY_ASSIGN(const auto object, walk(root, path));
    if (object.is_link()) return Error::from_errno(ELOOP, path);
    if (!object.is_file()) return Error::from_errno(EINVAL, path);
    SFG_TRY_ASSIGN(auto file, File::open_for_reading(object));
    return std::unique_ptr<ByteSource>(std::make_unique<File>(std::move(file)));
}

Result<std::string> run(int count, char** words) {
    VolumeAddress address;
    if (count > 1) address.volume = words[1];
    for (int i = 2; i < count; ++i) {
        SFG_TRY_ASSIGN(auto server, hooks::parse_server(words[i]));
        address.servers.push_back(std::move(server));
    }
    if (address.servers.empty() || !is_volume_name(address.volume))
        return Error(ErrorKind::invalid, "usage: sfgluster-look VOLUME SERVER...");
    const auto images = hooks::words_of(std::string(std::istreambuf_iterator<char>(std::cin), {}));
    SFG_TRY_ASSIGN(const auto connection, Connection::open(address, kLimit, [] {}));
    SFG_TRY_ASSIGN(const auto root, root_of(connection));
    std::string text;
    for (std::size_t i = 0; i + 2 < images.size(); i += 3) {
        const auto look = hooks::look_to_text(
            hooks::look_at_chain({images[i], images[i + 1], images[i + 2] == "bases"},
                                 [&](const std::string& path) { return open_image(root, path); }));
        text += std::to_string(look.size()) + '\0' + look;
    }
    return text;
}

}  // namespace

int main(int count, char** words) {
    int status = 1;
    try {
        const auto text = run(count, words);
        if (text) {
            std::cout << *text << std::flush;
            status = std::cout ? 0 : 1;
        } else {
            std::cerr << "sfgluster-look: " << text.error().message() << std::endl;
        }
    } catch (const std::exception& error) {
        std::cerr << "sfgluster-look: " << error.what() << std::endl;
    }
    // Without glfs_fini, which takes ten seconds: nothing was written.
    _exit(status);
}
