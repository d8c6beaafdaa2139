// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {

// Whether all cases of a test are tried, not just those that tell most: SFG_EVERY_CASE=1 in the
// environment.
bool every_case();
// These, and with every case those too.
template <typename T>
std::vector<T> cases(std::vector<T> these, const std::vector<T>& those) {
    if (every_case()) these.insert(these.end(), those.begin(), those.end());
    return these;
}

// Whether each client of the volume has a connection to each of its bricks.
bool everybody_is_connected(Lab& lab, const std::string& volume, std::size_t bricks);

// What a gluster volume of several bricks is made like.
struct VolumeKind {
    std::string name;    // of the volume; empty for the lab's own
    std::string layout;  // gluster's words; empty for none but distribution
    int bricks = 2;
    int in_a_set = 1;  // so many bricks have a file together
    // Made for one test and deleted after it, under a name that it alone has.
    bool of_one_test = false;
};

VolumeKind two_bricks();       // the lab's own volume: each file is on one brick or the other
VolumeKind one_pair();         // two copies of each file
VolumeKind two_pairs();        // two copies, distributed
VolumeKind three_copies();     // a quorum is two
VolumeKind with_an_arbiter();  // two copies; the third brick has names alone
VolumeKind dispersed();        // pieces, of which two of three are enough

// The name of a kind, for that of a test.
std::string label_of(const VolumeKind& kind);
void PrintTo(const VolumeKind& kind, std::ostream* out);

// What takes bytes from a volume that others may need.
struct Taking {
    std::string name;
    Refusal (*from)(const Volume& volume);
};
void PrintTo(const Taking& taking, std::ostream* out);
// Wipe, upload, shrink (to a half of kTakenFrom), and delete, which is the last.
std::vector<Taking> takings();
inline constexpr std::uint64_t kTakenFrom = 8 * kMiB;

// A pool on a volume of several bricks, which are numbered from 1 as gluster does. Whatever a test
// does to them, they are up, connected and healed for the next.
//
// The files of a pool are on bricks as their names have it: see names_on.
class DistributedPoolTest : public PoolTest {
  protected:
    explicit DistributedPoolTest(VolumeKind kind = two_bricks()) : kind_(std::move(kind)) {}
    void SetUp() override;
    void TearDown() override;

    std::string volume() const override;
    // In the brick that has the file; of a directory and of what is nowhere, in the first.
    std::string brick(const std::string& name = "") const override;
    const VolumeKind& kind() const { return kind_; }

    // The brick's own name, HOST:PATH, and its path.
    std::string brick_name(int brick) const;
    std::string brick_path(int brick) const;

    // glusterfsd is killed, or hangs; what the others have is answered.
    void kill_brick(int brick);
    void pause_brick(int brick);
    void resume_brick(int brick);
    // Up again, and reached by everybody who has the volume open.
    void start_brick(int brick);
    // Up again, whoever has noticed.
    void begin_start_brick(int brick);
    // Each client of the volume has a connection to each brick.
    void reconnected();
    // All copies are the same again.
    void heal();

    // Refused since not all could be seen, in one sentence that names one of these bricks.
    testing::AssertionResult hidden_by(const Refusal& refusal,
                                       const std::vector<int>& bricks) const;

    // What the first host's libvirtd says from `hear` on.
    void hear();
    std::string heard() const;

    // The bricks that have this file's content, or its name at an arbiter's; links of
    // distribution do not count.
    std::vector<int> bricks_with(const std::string& name) const;
    // The first of these; 0 where none has it.
    int brick_of(const std::string& name) const;
    // So many names, in the pool's directory or one below, that begin with `prefix` and whose files
    // distribution puts on that brick. Directories are made.
    std::vector<std::string> names_on(int brick, int count, const std::string& prefix) const;
    std::string name_on(int brick, const std::string& prefix) const;

    // An image that qemu-img makes over FUSE and that records this name as its base, whether it can
    // be opened or not.
    void make_overlay(const std::string& name, const std::string& recorded) const;

    // So many bits in a second go through the first host's loopback interface, until
    // `as_fast_as_ever`: a walk over many directories takes seconds.
    void slow_down(int kilobits);
    void as_fast_as_ever();

  private:
    VolumeKind kind_;
    std::string volume_;
    std::vector<std::string> bricks_;
    std::set<int> touched_;
    bool slow_ = false;
    std::size_t heard_ = 0;
};

}  // namespace sfg::test
