// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/client_graph.hpp"
#include "driver/gluster/connection.hpp"

namespace sfg {

// What could be seen of a volume during a piece of work.
struct Attended {
    std::vector<std::string> hidden;  // bricks that are away and hide a part of the volume
    bool steady = true;               // no brick came or went meanwhile
    bool told = true;                 // that much is known
    std::chrono::steady_clock::time_point looked = {};  // when that was last looked at

    bool complete() const { return told && steady && hidden.empty(); }
    // No brick can have gone and come back since.
    bool is_recent() const;
    // Why it is not complete: a sentence that names the bricks and says what to do.
    std::string why(const std::string& volume) const;
};

// Whether all bricks were there while a volume was looked through. cluster/distribute's readdirp
// passes over a subvolume that is down, or that fails in the middle, and reports success
// (dht-common.c, dht_readdirp_cbk), and cluster/replicate does not go on with another brick once it
// has begun a directory (afr-dir-read.c): a listing that looks whole may not be.
//
// Asking before and after would prove nothing about a brick that was away in between. It does as
// long as nobody looks away for as long as a brick needs to come back: protocol/client waits three
// seconds before it connects anew (rpc-clnt.c, rpc_clnt_handle_disconnect), and has told everybody
// of the loss before any call that it cost comes back. So a thread looks twice a second; where more
// than two seconds have passed between two looks, the work counts as unsteady. Of whole subvolumes
// cluster/distribute counts the returns besides.
class Attendance {
  public:
    // Begins to look. Errors: gluster's client does not tell (never seen), no thread is to be had.
    static Result<std::shared_ptr<Attendance>> begin(const std::shared_ptr<Connection>& connection);
    // Ends it.
    ~Attendance();
    Attendance(const Attendance&) = delete;
    Attendance& operator=(const Attendance&) = delete;

    const std::shared_ptr<Connection>& connection() const;

    // The work is done, once. Asks each brick: one that has gone so lately that the client has not
    // noticed does not answer. Waits as long as a brick that stalls.
    Attended end();

  private:
    struct Watch;
    explicit Attendance(std::shared_ptr<Watch> watch);
    std::shared_ptr<Watch> watch_;  // with its thread, whoever is last
};

// The bricks that hide a part of the volume just now. An error where gluster's client does not
// tell.
Result<std::vector<std::string>> hidden_bricks(const std::shared_ptr<Connection>& connection);

// How the volume calls the directories in which it shows its snapshots; empty where it does not.
std::string snapshot_directory(const std::shared_ptr<Connection>& connection);

// For an error that says that something which is known to exist is not there, or cannot be had: the
// bricks that hide a part of the volume are the better reason, where there are any.
Error or_hidden(const std::shared_ptr<Connection>& connection, const Error& error);

}  // namespace sfg
