// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/integration/kill_points/gfapi_faults.h"

namespace sfg::test {

struct ListedVolume {
    std::string name;
    std::string format;
    unsigned long long capacity = 0;
    std::string backing;  // "-": none
};

// What a request to a session came to.
struct Outcome {
    bool ok = false;
    std::string message;  // of the error, or that the process ended and how
    std::vector<ListedVolume> volumes;

    // The volume of that name, if it is listed.
    std::optional<ListedVolume> find(const std::string& name) const;
};

// A contract_client process: a host of its own, as far as gluster can see.
class Session {
  public:
    // Works in a directory of the lab's volume.
    explicit Session(const std::string& directory);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Outcome request(const std::string& line);
    // The same in two steps.
    void begin(const std::string& line);
    Outcome finish();

    // After begin(): waits until GFAPI_STOP has stopped the process, or GFAPI_HOLD its thread;
    // false where it has answered without having come to that call.
    bool stops();
    void go_on();

    Outcome refresh() { return request("refresh"); }
    void plan(gfapi_fault fault, long at, int error = 0);

    struct Met {
        long calls = 0;
        std::string name;  // of the call that met the fault; empty: none has
    };
    Met met();

    // Once a request has found the process ended: whether SIGKILL did it.
    bool was_killed() const { return killed_; }

  private:
    bool is_held() const;
    std::optional<std::string> read_line();
    std::string end();

    pid_t process_ = -1;
    int to_ = -1;
    int from_ = -1;
    std::string error_file_;
    std::string unread_;
    bool killed_ = false;
};

}  // namespace sfg::test
