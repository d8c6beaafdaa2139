// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A program that uses the driver by its plain C contract, without libvirt, and does what it is told
// on standard input, a line a request. It answers with any number of lines and then "ok ..." or
// "error KIND MESSAGE".
//
//   create NAME FORMAT CAPACITY ALLOCATION BASE   BASE is a qcow2 volume's name, or -
//   mkdir NAME
//   delete NAME
//   refresh                                       a line "volume NAME FORMAT CAPACITY BASE" each
//   plan FAULT AT ERRNO                           see gfapi_faults.h
//   met                                           "ok CALLS NAME": calls since then, and which one
//                                                 met the fault
#include <unistd.h>

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

void serve(const sfg_pool& pool, const std::string& line) {
    std::istringstream words(line);
    std::string verb, name;
    words >> verb;
    sfg_error error{};
    if (verb == "create") {
        std::string format, base;
        sfg_request request = request_for((words >> name, name));
        words >> format >> request.capacity >> request.allocation >> base;
        request.format = format.c_str();
        if (base != "-") {
            request.backing = base.c_str();
            request.backing_format = "qcow2";
        }
        answer_for(sfg_volume_create(&pool, &request, &error), error);
    } else if (verb == "mkdir") {
        sfg_request request = request_for((words >> name, name));
        request.directory = true;
        answer_for(sfg_volume_create(&pool, &request, &error), error);
    } else if (verb == "delete") {
        words >> name;
        answer_for(sfg_volume_delete(&pool, name.c_str(), &error), error);
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
