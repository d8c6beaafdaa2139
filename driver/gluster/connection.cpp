// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/connection.hpp"

#include <glusterfs/api/glfs-handles.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "driver/core/log.hpp"
#include "driver/gluster/reach.hpp"
#include "driver/gluster/volume_id.hpp"

namespace sfg {
namespace {

void close_in_background(glfs_t* fs) {
    try {
        std::thread([fs] { glfs_fini(fs); }).detach();
    } catch (const std::exception& error) {
        // No thread to be had: keep the handle rather than wait for it here.
        log_warning(std::string("a gluster connection stays open: ") + error.what());
    }
}

std::string name_of(const VolumeAddress& address) {
    return "gluster volume '" + address.volume + "'";
}

// Why glfs_init said no. What glusterd answers to a request for a volume file arrives as an errno
// only, and not the same one in all versions.
Error refusal(const VolumeAddress& address, int error) {
    const std::string hosts = names_of(address.servers);
    // glusterd 11 has ENOMEM for a volume that it does not know (glusterd-handshake.c,
    // __server_getspec: any failure so far gets that).
    if (error == ENOENT || error == ENOMEM)
        return Error(ErrorKind::pool_missing, error,
                     name_of(address) + " does not exist on " + hosts +
                         " (gluster volume list shows what does)");
    // glusterd hands out the volume file of a stopped volume; its clients then find no brick.
    if (error == EIO || error == EINVAL || error == ENOTCONN || error == 0)
        return Error(ErrorKind::not_connected, error,
                     name_of(address) +
                         " is stopped, or none of its bricks answers (gluster "
                         "volume status " +
                         address.volume + " tells, on " + hosts + ")");
    return Error(
        kind_of_errno(error) == ErrorKind::denied ? ErrorKind::denied : ErrorKind::not_connected,
        error, "cannot connect to " + name_of(address) + " on " + hosts + ": " + errno_text(error));
}

}  // namespace

Connection::Connection(glfs_t* fs, glfs_object* root, std::string volume, std::string volume_id)
    : fs_(fs),
      root_(root),
      pid_(getpid()),
      volume_(std::move(volume)),
      volume_id_(std::move(volume_id)) {}

Connection::~Connection() {
    if (getpid() != pid_) return;
    glfs_h_close(root_);
    close_in_background(fs_);
}

Result<glfs_t*> Connection::fs() const {
    if (getpid() != pid_)
        return Error(ErrorKind::unsupported,
                     "gluster volume '" + volume_ + "' cannot be used from a forked process");
    return fs_;
}

Result<std::shared_ptr<Connection>> Connection::open(const VolumeAddress& address,
                                                     std::chrono::milliseconds limit,
                                                     const std::function<void()>& reached) {
    // Half of the time, so that a caller who waits for all of it hears what the hosts said.
    const Reach reach = reachable(address.servers, limit / 2);
    if (reach.answering.empty())
        return Error(ErrorKind::not_connected, ENOTCONN,
                     "no server of " + name_of(address) + " answers (" + reach.refusals + ")");

    reached();
    glfs_t* fs = glfs_new(address.volume.c_str());
    if (fs == nullptr)
        return Error::from_errno(errno, "cannot prepare a connection to " + name_of(address));
    // Those that answer first; the others for the day when these do not (gfapi goes on to the next
    // when a server hangs up).
    std::vector<Server> servers = reach.answering;
    servers.insert(servers.end(), reach.silent.begin(), reach.silent.end());
    for (const auto& server : servers) {
        const int port = server.port != 0 ? server.port : kGlusterdPort;
        if (glfs_set_volfile_server(fs, server.is_local() ? "unix" : "tcp", server.name().c_str(),
                                    server.is_local() ? 0 : port) < 0 &&
            errno != EEXIST) {
            const Error error =
                Error::from_errno(errno, "server " + server.name() + " of " + name_of(address));
            close_in_background(fs);
            return error;
        }
    }
    // Other hosts change the volume too: what a second-old cache says of names and sizes would
    // make us refuse what is right and do what is wrong.
    glfs_set_xlator_option(fs, "*-md-cache", "md-cache-timeout", "0");
    glfs_set_xlator_option(fs, "*-quick-read", "cache-timeout", "0");
    glfs_set_xlator_option(fs, "*-io-cache", "cache-timeout", "0");
    glfs_set_xlator_option(fs, "*-nl-cache", "nl-cache-timeout", "0");

    errno = 0;
    if (glfs_init(fs) < 0) {
        const Error error = refusal(address, errno);
        close_in_background(fs);
        return error;
    }
    auto id = volume_id_of(fs, address, limit);
    if (!id) {
        close_in_background(fs);
        return id.error();
    }
    struct stat stat {};
    glfs_object* const root = glfs_h_lookupat(fs, nullptr, "/", &stat, 0);
    if (root == nullptr) {
        const Error error =
            Error::from_errno(errno, "cannot look up the root of " + name_of(address));
        close_in_background(fs);
        return error;
    }
    return std::shared_ptr<Connection>(new Connection(fs, root, address.volume, *std::move(id)));
}

}  // namespace sfg
