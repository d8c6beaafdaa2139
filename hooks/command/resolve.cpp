// SPDX-License-Identifier: LGPL-2.1-or-later
#include <iostream>
#include <memory>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "driver/gluster/uri.hpp"
#include "hooks/command/known_volumes.hpp"
#include "hooks/command/subcommands.hpp"
#include "hooks/host/read_host.hpp"

namespace sfg::command {
namespace {

struct Options {
    std::string name;
    std::string configuration = hooks::kConfiguration;
};

// A file of a gluster volume; normalized.
struct Place {
    std::string volume;
    std::string path;
    std::vector<Server> servers;  // that the name itself has
};

Result<Place> place_of(const std::string& name, const hooks::KnownVolumes& volumes) {
    if (is_gluster_uri(name)) {
        SFG_TRY_ASSIGN(const auto uri, parse_gluster_uri(name));
        const auto path = normalized(uri.path);
        if (!path || path->empty())
            return Error(ErrorKind::invalid, "'" + escaped(name) + "' names no file of a volume");
        return Place{uri.volume, *path, {uri.server()}};
    }
    if (!name.starts_with('/'))
        return Error(ErrorKind::invalid,
                     "'" + escaped(name) + "' is neither an absolute path nor a gluster URI");
    const auto place = volumes.locate(name);
    if (!place)
        return Error(ErrorKind::not_found,
                     "'" + escaped(name) +
                         "' is below no mount point of a gluster volume that is known on this "
                         "host (mount table, /etc/fstab, pools, sf-gluster.conf)");
    return Place{place->volume->name, normalized(place->path).value_or(""), {}};
}

std::string uri_of(const Server& server, const Place& place) {
    GlusterUri uri;
    uri.transport = server.is_local() ? "unix" : "tcp";
    uri.host = server.host;
    uri.port = server.port;
    uri.socket = server.socket;
    uri.volume = place.volume;
    uri.path = "/" + place.path;
    return format_gluster_uri(uri);
}

void line(const char* what, const std::string& value) {
    std::cout << what << escaped(value) << "\n";
}

Result<int> run(const Options& options) {
    SFG_TRY_ASSIGN(const auto volumes, known_volumes(options.configuration));
    SFG_TRY_ASSIGN(const auto place, place_of(options.name, volumes));
    const auto* known = volumes.find(place.volume);
    if (known != nullptr && !place.servers.empty()) {
        // A URI's server may be of another cluster with a volume of that name.
        const auto why = volumes.why_another(*known, place.servers);
        if (!why.empty()) say(why);
        if (!why.empty()) known = nullptr;
    }
    line("volume: ", place.volume);
    line("path:   ", place.path);
    auto servers = known != nullptr ? volumes.servers_of(*known) : std::vector<Server>();
    if (servers.empty()) servers = place.servers;
    for (const auto& server : servers) line("uri:    ", uri_of(server, place));
    if (known != nullptr)
        if (const auto local = volumes.local_path(*known, place.path))
            line("file:   ",
                 local->path + (local->mount->mounted
                                    ? ""
                                    : " (not mounted: " + local->mount->mount_command + ")"));
    for (const auto& pool : volumes.pools())
        if (known != nullptr && pool.volume == place.volume && is_below(place.path, pool.directory))
            line("pool:   ",
                 pool.name + ", volume " +
                     (pool.directory.empty() ? place.path
                                             : place.path.substr(pool.directory.size() + 1)));
    return 0;
}

}  // namespace

Subcommand add_resolve(CLI::App& program) {
    auto options = std::make_shared<Options>();
    CLI::App* const app = program.add_subcommand(
        "resolve",
        "Names a file of a gluster volume in all its forms: gluster volume and path, a URI for "
        "each server, the path on the FUSE mount, and the name of the volume in each pool; whether "
        "it is "
        "there is not looked at");
    app->add_option("name", options->name, "a path on this host, or a gluster URI")
        ->required()
        ->type_name("PATH|URI");
    app->add_option("--config", options->configuration, "where gluster volumes are described")
        ->capture_default_str();
    return {app, [options] { return run(*options); }};
}

}  // namespace sfg::command
