// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/integration/kill_points/session.hpp"
#include "tests/integration/kill_points/whole_volume.hpp"

namespace sfg::test {

// What a process may be doing to a volume when it is stopped.
struct Operation {
    std::string label;    // letters only
    std::string request;  // to a Session; NAME stands for the volume
    std::string prefix;   // of NAME, directories that do not exist
    Expected volume;      // that it makes, or that was there
    bool deletes = false;

    std::string with_name(const std::string& text, const std::string& name) const;
    // The request that makes `volume`.
    std::string make() const;
};
std::ostream& operator<<(std::ostream& out, const Operation& operation);

// All of them but a refresh, which does nothing to volumes.
std::vector<Operation> operations();

inline constexpr char kBase[] = "base";
inline constexpr unsigned long long kBaseCapacity = 64ULL << 20;

// A directory of the lab's volume with a base image in it, and a session that nothing happens to.
class FaultTest : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    // In the gluster volume, and on a FUSE mount of it.
    const std::string& directory() const { return directory_; }
    std::string fuse(const std::string& name = "") const;

    // Another host's view.
    Session& observer() { return *observer_; }

    // Whether the volume is there as it should be, for the observer and over FUSE alike.
    testing::AssertionResult stands_whole(const std::string& name, const Expected& expected);
    testing::AssertionResult is_absent(const std::string& name);
    // The volumes, for the observer: without files in work, or this is a failure.
    Outcome listing();
    // Removes all at and around a volume that was put into directories of its own.
    void clear(const std::string& name);

    // A session whose settings say that left-overs may go at once.
    std::unique_ptr<Session> impatient_session() const;

  private:
    std::string directory_;
    std::string mount_;
    std::unique_ptr<Session> observer_;
};

}  // namespace sfg::test
