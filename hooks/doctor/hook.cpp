// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "hooks/doctor/parts.hpp"

namespace sfg::doctor {
namespace {

// Of the daemon that runs guests, by its file with the process id; 0 where none runs.
time_t daemon_started() {
    for (const char* name : {"/run/libvirtd.pid", "/run/virtqemud.pid"}) {
        std::ifstream file(name);
        pid_t pid = 0;
        struct stat process;
        if (file >> pid && pid > 0 && stat(("/proc/" + std::to_string(pid)).c_str(), &process) == 0)
            return process.st_mtime;
    }
    return 0;
}

}  // namespace

Findings check_hook(const std::string& path) {
    struct stat hook;
    if (stat(path.c_str(), &hook) < 0 || access(path.c_str(), X_OK) < 0)
        return {{Level::warning, "hook",
                 path + " is not there or not executable: guests are not carried between network "
                        "disks and files, and starts that cannot work are not explained",
                 "install sf-gluster again, or chmod +x " + path}};
    const time_t started = daemon_started();
    if (started != 0 && started < hook.st_ctime)
        return {{Level::warning, "hook",
                 "libvirtd has been running since before the hook was there, and looks for hooks "
                 "when it starts",
                 "systemctl restart libvirtd"}};
    return {{Level::fine, "hook", path}};
}

}  // namespace sfg::doctor
