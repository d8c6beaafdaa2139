// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/libvirt_client.hpp"

namespace sfg::test {

// The bytes of a boot sector that writes the processor's time of its start to kStampAddress of the
// guest's memory and then waits for ever: another start would leave another stamp, so that equal
// ones are proof of one memory.
std::string stamping_boot_sector();
inline constexpr unsigned long long kStampAddress = 0x8000;

// A guest that is defined; destroyed and forgotten with this.
class PersistentGuest {
  public:
    static Answer<PersistentGuest> define(const Client& client, const std::string& xml);
    static Answer<PersistentGuest> find(const Client& client, const std::string& name);
    ~PersistentGuest();
    PersistentGuest(PersistentGuest&& other) noexcept
        : domain_(std::exchange(other.domain_, nullptr)) {}
    PersistentGuest& operator=(PersistentGuest&& other) noexcept {
        std::swap(domain_, other.domain_);
        return *this;
    }

    Refusal start();
    Refusal managed_save();
    Refusal destroy();
    bool is_running() const;
    // Names of the chain of "vda" as the running guest has it, or, inactive, as it is defined.
    std::vector<std::string> chain(bool inactive = false) const;
    std::string xml(unsigned flags = 0) const;

    // What stamping_boot_sector() left; waits until it is there, 0 after `limit`.
    std::uint64_t stamp(std::chrono::seconds limit = std::chrono::seconds(60)) const;

    // Live, to another libvirtd, whose qemu listens at `address`.
    Refusal migrate(const Client& to, const std::string& address);

  private:
    explicit PersistentGuest(virDomainPtr domain) : domain_(domain) {}
    virDomainPtr domain_;
};

}  // namespace sfg::test
