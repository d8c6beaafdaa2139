// SPDX-License-Identifier: LGPL-2.1-or-later
//
// hook_bench HOOK MOUNT VOLUME UNMOUNTED-VOLUME HOST [CALLS]: what a call of libvirt's hook costs,
// as libvirt calls it, in milliseconds from fork to exit. There must be an image "image" in both
// volumes.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include "tests/bench/statistics.hpp"

namespace {

using sfg::bench::Samples;

std::string disk(const std::string& type, const std::string& source) {
    return "<disk type='" + type + "' device='disk'><driver name='qemu' type='qcow2'/>" + source +
           "<target dev='vda' bus='virtio'/></disk>";
}

std::string document(const std::string& disks) {
    return "<domain type='qemu'><name>bench</name><memory unit='MiB'>64</memory><devices>"
           "<emulator>/usr/bin/qemu-system-x86_64</emulator>" +
           disks + "</devices></domain>";
}

std::string network(const std::string& volume, const std::string& host) {
    return disk("network", "<source protocol='gluster' name='" + volume + "/image'><host name='" +
                               host + "' port='24007'/></source>");
}

void call(const std::string& hook, const char* operation, int input) {
    if (lseek(input, 0, SEEK_SET) != 0) throw std::runtime_error("cannot rewind a document");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const char* const words[] = {hook.c_str(), "bench", operation, "begin", "-", nullptr};
    pid_t child = -1;
    const int failed = posix_spawn(&child, hook.c_str(), &actions, nullptr,
                                   const_cast<char* const*>(words), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (failed != 0 || waitpid(child, &status, 0) != child || status != 0)
        throw std::runtime_error(std::string("the hook failed at ") + operation);
}

void measure(const std::string& hook, const char* what, const char* aim, const char* operation,
             const std::string& text, int calls) {
    std::FILE* const file = std::tmpfile();
    if (file == nullptr || std::fwrite(text.data(), 1, text.size(), file) != text.size() ||
        std::fflush(file) != 0)
        throw std::runtime_error("cannot write a document");
    Samples samples;
    call(hook, operation, fileno(file));  // the emulator's answer is kept from then on
    for (int i = 0; i < calls; ++i) samples.time([&] { call(hook, operation, fileno(file)); });
    std::fclose(file);
    std::printf("| %s | %.1f | %s |\n", what, samples.median(), aim);
    std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
    if (count < 6) {
        std::fprintf(stderr, "usage: hook_bench HOOK MOUNT VOLUME UNMOUNTED-VOLUME HOST [CALLS]\n");
        return 2;
    }
    const std::string hook = words[1], mount = words[2], volume = words[3], unmounted = words[4],
                      host = words[5];
    const int calls = count > 6 ? std::atoi(words[6]) : 100;
    try {
        std::printf("\n| a call of the hook | ms | aim |\n|---|---:|---|\n");
        measure(hook, "prepare, a guest on a local file", "below 5", "prepare",
                document(disk("file", "<source file='/var/lib/libvirt/images/a'/>")), calls);
        measure(hook, "restore, file to network", "below 15", "restore",
                document(disk("file", "<source file='" + mount + "/image'/>")), calls);
        measure(hook, "prepare, a file on the FUSE mount", "none", "prepare",
                document(disk("file", "<source file='" + mount + "/image'/>")), calls);
        measure(hook, "prepare, a network disk, looked at on the FUSE mount", "none", "prepare",
                document(network(volume, host)), calls);
        measure(hook, "prepare, a network disk, looked at over gfapi", "below 200", "prepare",
                document(network(unmounted, host)), calls);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "hook_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
