// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {

// A pool on three nodes with a copy each. Whatever a test does to the nodes, they are up and their
// copies are the same for the next.
class ReplicaPoolTest : public PoolTest {
  protected:
    void TearDown() override;

    // Waits until everybody reaches every copy again.
    void reconnected();
    // Waits until all copies are the same again.
    void heal();
    // The pool's document with all nodes as hosts, under another name.
    PoolSpec with_all_hosts() const;
    // A file of the pool's directory in that node's brick.
    std::string brick_of(int node, const std::string& name) const;

    // Pulls a node's cable; TearDown puts it back.
    void cut(int node);

  private:
    int cut_ = 0;
};

}  // namespace sfg::test
