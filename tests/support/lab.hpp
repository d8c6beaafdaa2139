// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/command.hpp"

namespace sfg::test {

// The lab (tests/lab) in which this program runs, as on its first libvirt host:
//
//     tests/lab/lab exec NAME -- integration_tests
//
// Paths are those of that host, so a FUSE mount on it is seen here; bricks are seen too.
class Lab {
  public:
    // Ends the program with a sentence where it does not run in a lab.
    static Lab& instance();

    const std::string& name() const { return name_; }

    // One of the values of `lab paths`. What changes while the lab is up (LIBVIRTD_PID) is asked
    // for each time.
    std::string path(const std::string& key, int host = 1);

    std::string gluster_host() { return path("GLUSTER_HOST"); }
    std::string silent_host() { return path("SILENT_HOST"); }
    std::string refusing_host() { return path("REFUSING_HOST"); }
    std::string volume() { return path("VOLUME"); }

    // lab COMMAND NAME WORDS...
    Ran call(const std::string& command, const std::vector<std::string>& words,
             std::chrono::seconds limit = std::chrono::seconds(180));
    // Runs a shell's command line as on a host.
    Ran on_host(int host, const std::string& command);
    // gluster's own command line.
    Ran gluster(const std::vector<std::string>& words);
    // stop, start, pause, resume...
    Ran node(int number, const std::string& action);

    // libvirtd of a host: stop, kill, or (re)start with the options of `lab libvirtd`.
    Ran libvirtd(int host, const std::string& action, const std::vector<std::string>& options = {});
    // Started anew with what is to be tested.
    Ran libvirtd_with_ours(int host);
    // What libvirtd has said since its start, its log included.
    std::string said_by_libvirtd(int host);
    // Of these, what went to standard error.
    std::string standard_error_of_libvirtd(int host);

    // What is to be tested: DESTDIR of an installation.
    const std::string& install_root() const { return install_root_; }
    // Of that, what is preloaded into a qemu of a host that is to close gluster disks at once.
    std::string quick_close(int host = 1);
    // A directory for files of the tests, ours alone.
    const std::string& scratch() const { return scratch_; }

    // Writes the host's /etc/libvirt/sf-gluster.conf, or removes it with an empty text. libvirtd
    // reads it at its start.
    void configure(int host, const std::string& text, unsigned mode = 0644);

    // A further gluster volume, made when it is first asked for and kept while the lab is up:
    // making one takes seconds. `options` are those of `lab volume`.
    std::string extra_volume(const std::string& volume, const std::vector<std::string>& options);

    // A FUSE mount of a gluster volume on the first host that caches nothing, made when it is
    // first asked for.
    std::string mount_of(const std::string& volume);

  private:
    Lab();

    std::string name_;
    std::string tool_;
    std::string install_root_;
    std::string scratch_;
    std::set<int> quick_close_hosts_;
    std::map<int, std::map<std::string, std::string>> paths_;
};

// Asks until the answer is yes; false after `limit`.
template <typename Question>
bool comes_true(Question question, std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!question()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
}

}  // namespace sfg::test
