// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/lab.hpp"
#include "tests/support/libvirt_client.hpp"
#include "tests/support/xml_text.hpp"

namespace sfg::test {

// Whether a call did what it should.
template <typename T>
testing::AssertionResult done(const T& answer) {
    const Refusal& refusal = refusal_of(answer);
    if (refusal.code == VIR_ERR_OK) return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << "refused with code " << refusal.code << ": " << refusal.message;
}

testing::AssertionResult is_refusal(const Refusal& refusal, int code, const std::string& part);

// Whether a call was refused with this virErrorNumber and a message of one line that holds `part`.
template <typename T>
testing::AssertionResult refused(const T& answer, int code, const std::string& part = "") {
    return is_refusal(refusal_of(answer), code, part);
}

// Each test has a directory of the lab's volume to itself, with a pool over it that is active on
// the first host. All goes at the end.
class PoolTest : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    static Lab& lab() { return Lab::instance(); }
    // The gluster volume that the test's pool is on: the lab's own, or another.
    virtual std::string volume() const { return lab().volume(); }
    // A new connection to a host's libvirtd; those from before a restart are dead.
    Client& client(int host = 1);
    void reconnect(int host);

    // The test's own pool, on the first host.
    Pool& pool() { return *pool_; }
    // The same pool on another host, active.
    Pool pool_on(int host);

    const std::string& pool_name() const { return name_; }
    const std::string& directory_in_volume() const { return directory_; }
    PoolSpec spec() const;
    // A further pool on that host, active; forgotten at the end.
    Answer<Pool> start(const PoolSpec& spec, int host = 1);
    // Defined only; forgotten at the end.
    Answer<Pool> define(const PoolSpec& spec, int host = 1);

    // The pool's directory, or a file in it, on a FUSE mount.
    std::string fuse(const std::string& name = "") const;
    // The same on the brick, of which there is one.
    virtual std::string brick(const std::string& name = "") const;
    bool exists(const std::string& name) const;
    // Everything below the pool's directory as it is on the brick, sorted, with its gfids.
    std::vector<std::string> on_brick() const;
    std::string gfid(const std::string& name) const;
    std::string uri(const std::string& name) const;

    // The FUSE mount is there; after an outage it takes a few seconds.
    bool mount_answers() const;

    // A directory of this host for the test alone, or a file in it; gone at the end.
    static std::string local(const std::string& name = "");

    void write_file(const std::string& name, const std::string& bytes) const;
    std::string read_file(const std::string& name) const;

  private:
    std::string name_;
    std::string directory_;
    std::map<int, Client> clients_;
    std::optional<Pool> pool_;
    std::vector<std::pair<int, std::string>> started_;
};

}  // namespace sfg::test
