// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/lab.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace sfg::test {
namespace {

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(2);
}

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0')
        give_up(std::string(name) + " is not set: run these tests by tests/integration/run");
    return value;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string all_output(const Ran& ran, const std::string& of) {
    return of + " ended with " + std::to_string(ran.status) + ":\n" + ran.output;
}

}  // namespace

Lab& Lab::instance() {
    static Lab lab;
    return lab;
}

Lab::Lab()
    : name_(environment("SF_GLUSTER_LAB")),
      tool_(SFG_SOURCE_DIR "/tests/lab/lab"),
      install_root_(environment("SFG_INSTALL_ROOT")),
      scratch_(environment("SFG_SCRATCH")) {}

std::string Lab::path(const std::string& key, int host) {
    auto& known = paths_[host];
    if (key == "LIBVIRTD_PID" || known.empty()) {
        // The lab quotes each value for a shell, so let one read it. GCC 14 finds std::quoted too.
        const Ran ran =
            run({"/bin/bash", "-c",
                 test::quoted(tool_) + " paths " + name_ + " --host " + std::to_string(host) +
                     " | while IFS= read -r line; do eval \"printf '%s\\n' $line\"; "
                     "done"});
        if (!ran.ok()) give_up(all_output(ran, "lab paths"));
        std::istringstream lines(ran.output);
        for (std::string line; std::getline(lines, line);) {
            const auto equals = line.find('=');
            if (equals != std::string::npos)
                known[line.substr(0, equals)] = line.substr(equals + 1);
        }
    }
    return known[key];
}

Ran Lab::call(const std::string& command, const std::vector<std::string>& words,
              std::chrono::seconds limit) {
    std::vector<std::string> all{tool_, "-q", command, name_};
    all.insert(all.end(), words.begin(), words.end());
    return run(all, limit);
}

Ran Lab::on_host(int host, const std::string& command) {
    return call("exec", {"--host", std::to_string(host), "--", "/bin/sh", "-c", command});
}

Ran Lab::gluster(const std::vector<std::string>& words) {
    std::vector<std::string> all{"--"};
    all.insert(all.end(), words.begin(), words.end());
    return call("gluster", all);
}

Ran Lab::node(int number, const std::string& action) {
    return call("node", {std::to_string(number), action});
}

Ran Lab::libvirtd(int host, const std::string& action, const std::vector<std::string>& options) {
    std::vector<std::string> words{action, "--host", std::to_string(host)};
    words.insert(words.end(), options.begin(), options.end());
    return call("libvirtd", words);
}

Ran Lab::libvirtd_with_ours(int host) {
    return libvirtd(host, "restart", {"--install-root", install_root_});
}

std::string Lab::said_by_libvirtd(int host) {
    return standard_error_of_libvirtd(host) + text_of(path("LIBVIRTD_LOG", host));
}

std::string Lab::standard_error_of_libvirtd(int host) {
    return text_of(path("LIBVIRTD_STDERR", host));
}

void Lab::configure(int host, const std::string& text, unsigned mode) {
    const std::string file = path("LIBVIRT_ETC", host) + "/sf-gluster.conf";
    std::remove(file.c_str());
    if (text.empty()) return;
    std::ofstream(file) << text;
    chmod(file.c_str(), mode);
}

std::string Lab::extra_volume(const std::string& volume, const std::vector<std::string>& options) {
    if (gluster({"volume", "info", volume}).ok()) return volume;
    std::vector<std::string> words{volume};
    words.insert(words.end(), options.begin(), options.end());
    const Ran made = call("volume", words);
    if (!made.ok()) give_up(all_output(made, "lab volume " + volume));
    return volume;
}

std::string Lab::mount_of(const std::string& volume) {
    const std::string where = "/srv/it/" + volume;
    // Asked of the list of mounts, not of the mount, which does not answer while gluster is away.
    if (text_of("/proc/self/mountinfo").find(" " + where + " ") != std::string::npos) return where;
    // What libvirtd changes is to be seen at once. Not by mount(8), which passes on only one
    // xlator-option.
    const Ran mounted = on_host(
        1, "mkdir -p " + where +
               " && exec glusterfs --attribute-timeout=0 --entry-timeout=0 --negative-timeout=0"
               " --xlator-option='*-md-cache.md-cache-timeout=0'"
               " --xlator-option='*-quick-read.cache-timeout=0'"
               " --process-name fuse --volfile-server=" +
               gluster_host() + " --volfile-id=/" + volume + ' ' + where);
    if (!mounted.ok()) give_up(all_output(mounted, "mounting " + volume));
    return where;
}

std::string Lab::quick_close(int host) {
    // Where qemu's user can read it: the tree may be anywhere.
    const std::string copy = "/srv/quick-close.so";
    if (quick_close_hosts_.insert(host).second) {
        // Not over one that a qemu may have mapped.
        const Ran copied = on_host(
            host, "cp " + quoted(install_root_ + SFG_LIBDIR + "/sf-gluster/quick-close.so") + " " +
                      copy + ".new && mv " + copy + ".new " + copy);
        if (!copied.ok()) give_up(copied.output);
    }
    return copy;
}

}  // namespace sfg::test
