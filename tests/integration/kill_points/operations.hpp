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

enum class Does { makes, changes, deletes };

// What a process may be doing to a volume when it is stopped.
struct Operation {
    std::string label;    // letters and digits only
    std::string make;     // the request to a Session that makes `volume`; NAME stands for its name
    std::string request;  // what the operation is; NAME too
    std::string prefix;   // of NAME, directories that do not exist
    Expected volume;      // that it makes, or that was there
    Does does = Does::makes;
    Expected changed = {};  // what a change makes of it

    std::string with_name(const std::string& text, const std::string& name) const;
};
std::ostream& operator<<(std::ostream& out, const Operation& operation);

// All of them but a refresh, which does nothing to volumes.
std::vector<Operation> operations();

inline constexpr char kBase[] = "base";
inline constexpr unsigned long long kBaseCapacity = 64ULL << 20;
// What is cloned: a raw volume with data and holes, and an overlay of the base with data.
inline constexpr char kRawSource[] = "raw-source";
inline constexpr char kSource[] = "source";

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
    // Makes what `operation` copies.
    void make_sources(const Operation& operation);
    // Whether a session can work with the volume alone: no other process and no earlier call of
    // its own holds it.
    testing::AssertionResult can_be_taken(Session& session, const std::string& name);
    testing::AssertionResult sources_can_be_taken(Session& session, const Operation& operation);
    // The volumes, for the observer: without files in work, or this is a failure.
    Outcome listing();
    // Removes all at and around a volume that was put into directories of its own; after a deletion
    // that something happened to, files in work too: each further deletion would look through more.
    void clear(const std::string& name);
    void clear_after(const Operation& operation, const std::string& name);

    // A session whose settings say that left-overs may go at once.
    std::unique_ptr<Session> impatient_session() const;

  private:
    std::string directory_;
    std::string mount_;
    std::unique_ptr<Session> observer_;
};

}  // namespace sfg::test
