// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tests/support/libvirt_client.hpp"

namespace sfg::bench {

// A pool that is started at once and gone from libvirt, not from disk, with this object. What is
// refused is thrown: a bench has nothing to say after that.
class ScratchPool {
  public:
    // From its document.
    ScratchPool(const test::Client& client, const std::string& name, const std::string& xml);
    ~ScratchPool();
    ScratchPool(const ScratchPool&) = delete;
    ScratchPool& operator=(const ScratchPool&) = delete;

    void create(const test::VolumeSpec& volume) const;
    // Finding the volume by its name belongs to it, as it does for a client.
    void remove(const std::string& volume) const;
    void refresh() const;
    void clone(const test::VolumeSpec& volume, const std::string& source) const;
    test::Volume volume(const std::string& name) const;
    int volume_count() const;
    std::string path_of(const std::string& volume) const;

    const test::Pool& pool() const { return *pool_; }

  private:
    const test::Client& client_;
    std::string name_;
    std::optional<test::Pool> pool_;
};

}  // namespace sfg::bench
