// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A program that uses the driver by its plain C contract, without libvirt, and does what it is told
// on standard input, a line a request. It answers with any number of lines and then "ok ..." or
// "error KIND MESSAGE".
//
//   create NAME FORMAT CAPACITY ALLOCATION BASE [CLUSTER]
//                                                 BASE is a qcow2 volume's name, or -; CLUSTER is
//                                                 a qcow2 volume's cluster size
//   clone NAME FORMAT CAPACITY BASE SOURCE        SOURCE is a volume's name
//   resize NAME CAPACITY HOW                      HOW: allocate, shrink or -
//   mkdir NAME
//   delete NAME
//   wipe NAME
//   make-disk NAME, unlink NAME                   as libvirt does with the image of a guest
//   refresh                                       a line "volume NAME FORMAT CAPACITY BASE" each
//   plan FAULT AT ERRNO                           see gfapi_faults.h
//   met                                           "ok CALLS NAME": calls since then, and which one
//                                                 met the fault
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "driver/libvirt/contract.h"
#include "tests/integration/kill_points/gfapi_faults.h"

namespace {

void answer(const std::string& text) {
    std::cout << text << std::endl;
}

int print_volume(void*, const sfg_volume* volume) {
    std::cout << "volume " << volume->name << ' ' << volume->format << ' ' << volume->capacity
              << ' ' << (volume->backing != nullptr ? volume->backing : "-") << '\n';
    return 0;
}

void answer_for(int outcome, const sfg_error& error) {
    if (outcome == 0)
        answer("ok");
    else
        answer("error " + std::to_string(error.kind) + ' ' + error.message);
}

sfg_request request_for(const std::string& name) {
    sfg_request request{};
    request.name = name.c_str();
    request.mode = static_cast<mode_t>(-1);
    request.owner = static_cast<uid_t>(-1);
    request.group = static_cast<gid_t>(-1);
    return request;
}

void put_base(sfg_request& request, const std::string& base) {
    if (base == "-") return;
    request.backing = base.c_str();
    request.backing_format = "qcow2";
}

void serve(const sfg_pool& pool, const std::string& line) {
    std::istringstream words(line);
    std::string verb, name;
    words >> verb;
    sfg_error error{};
    if (verb == "create") {
        std::string format, base;
        sfg_request request = request_for((words >> name, name));
        words >> format >> request.capacity >> request.allocation >> base;
        if (std::uint64_t cluster_size; words >> cluster_size) request.cluster_size = cluster_size;
        request.format = format.c_str();
        put_base(request, base);
        answer_for(sfg_volume_create(&pool, &request, &error), error);
    } else if (verb == "clone") {
        std::string format, base, source_name;
        sfg_request request = request_for((words >> name, name));
        words >> format >> request.capacity >> base >> source_name;
        request.format = format.c_str();
        put_base(request, base);
        std::array<char, 4096> uri{};
        sfg_request source_request = request_for(source_name);
        source_request.format = format.c_str();
        source_request.capacity = 1;
        if (sfg_volume_check(&pool, &source_request, uri.data(), uri.size(), &error) != 0)
            return answer_for(-1, error);
        const sfg_source source{uri.data(), format.c_str()};
        answer_for(sfg_volume_clone(&pool, &request, &source, &error), error);
    } else if (verb == "resize") {
        std::uint64_t capacity = 0;
        std::string how;
        words >> name >> capacity >> how;
        answer_for(sfg_volume_resize(&pool, name.c_str(), capacity, how == "allocate",
                                     how == "shrink", &error),
                   error);
    } else if (verb == "mkdir") {
        sfg_request request = request_for((words >> name, name));
        request.directory = true;
        answer_for(sfg_volume_create(&pool, &request, &error), error);
    } else if (verb == "delete") {
        words >> name;
        answer_for(sfg_volume_delete(&pool, name.c_str(), &error), error);
    } else if (verb == "wipe") {
        words >> name;
        answer_for(sfg_volume_wipe(&pool, name.c_str(), SFG_WIPE_ZERO, &error), error);
    } else if (verb == "unlink" || verb == "make-disk") {
        words >> name;
        const std::string path = std::string(pool.directory) + "/" + name;
        const sfg_disk_server server{pool.servers[0].host, 0, nullptr};
        const sfg_disk disk{pool.volume, path.c_str(), &server, 1, false};
        answer_for(
            verb == "unlink" ? sfg_disk_unlink(&disk, &error) : sfg_disk_create(&disk, &error),
            error);
    } else if (verb == "refresh") {
        sfg_usage usage{};
        answer_for(sfg_pool_refresh(&pool, print_volume, nullptr, &usage, &error), error);
    } else if (verb == "plan") {
        int fault = 0, failure = 0;
        long at = 0;
        words >> fault >> at >> failure;
        gfapi_fault_plan(static_cast<gfapi_fault>(fault), at, failure);
        answer("ok");
    } else if (verb == "met") {
        answer("ok " + std::to_string(gfapi_fault_calls()) + ' ' + gfapi_fault_met());
    } else {
        answer("error -1 what is " + line + "?");
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: contract_client HOST VOLUME DIRECTORY\n";
        return 2;
    }
    const sfg_server server{argv[1], 0};
    const sfg_pool pool{"kill-points", argv[2], argv[3], &server, 1};
    for (std::string line; std::getline(std::cin, line);) serve(pool, line);
    // gfapi's threads are still there: leave without the destructors that would meet them.
    std::_Exit(0);
}
