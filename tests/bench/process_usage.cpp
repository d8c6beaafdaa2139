// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/process_usage.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>

namespace sfg::bench {
namespace {

std::size_t entries_in(const std::string& directory) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory), {}));
}

ProcessUsage usage_now(pid_t process) {
    const std::string proc = "/proc/" + std::to_string(process);
    std::ifstream statm(proc + "/statm");
    std::size_t size_pages = 0, resident_pages = 0;
    if (!(statm >> size_pages >> resident_pages))
        throw std::runtime_error("cannot read " + proc + "/statm");
    return {resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)),
            entries_in(proc + "/task"), entries_in(proc + "/fd")};
}

}  // namespace

ProcessUsage settled_usage(pid_t process) {
    using namespace std::chrono_literals;
    ProcessUsage before = usage_now(process);
    for (int look = 0; look < 20; ++look) {
        std::this_thread::sleep_for(100ms);
        const ProcessUsage now = usage_now(process);
        const bool same = now.threads == before.threads && now.descriptors == before.descriptors;
        before = now;
        if (same) break;
    }
    return before;
}

}  // namespace sfg::bench
