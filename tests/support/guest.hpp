// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/lab.hpp"
#include "tests/support/libvirt_client.hpp"

namespace sfg::test {

// A disk of a guest: <source> as it stands in the document.
struct DiskSpec {
    std::string type;    // network or file
    std::string source;  // the element
    std::string target = "vda";
    std::string bus = "virtio";
    std::string format = "qcow2";
    std::string backing = {};  // the element <backingStore>, or nothing

    std::string xml() const;
};

// A gluster disk by `path`, from the volume's root, on these hosts: "name", "name:port" or the path
// of a socket.
DiskSpec network_disk(const std::string& volume, const std::string& path,
                      const std::vector<std::string>& hosts);
DiskSpec file_disk(const std::string& path);

// A guest without a system, emulated: qemu opens its disks all the same.
struct GuestSpec {
    std::string name;
    std::vector<DiskSpec> disks;
    std::vector<std::pair<std::string, std::string>> environment;  // of its qemu

    std::string xml() const;
};

// A guest that does not spend ten seconds on each gluster disk that it closes.
GuestSpec quick_guest(Lab& lab, const std::string& name, std::vector<DiskSpec> disks, int host = 1);

// A guest that runs; destroyed with this.
class Guest {
  public:
    static Answer<Guest> start(const Client& client, const GuestSpec& spec);
    static Answer<Guest> start_document(const Client& client, const std::string& xml);
    static Answer<Guest> find(const Client& client, const std::string& name);
    ~Guest();
    Guest(Guest&& other) noexcept : domain_(std::exchange(other.domain_, nullptr)) {}
    Guest& operator=(Guest&& other) noexcept {
        std::swap(domain_, other.domain_);
        return *this;
    }

    bool is_running() const;
    std::string xml() const;
    Refusal destroy();

    // What domblkinfo asks.
    Answer<virDomainBlockInfo> disk_info(const std::string& target) const;
    // --disk-only --no-metadata; `flags` beside that.
    Refusal snapshot(const std::string& target, const std::string& source_xml, unsigned flags = 0);
    Refusal commit(const std::string& target, unsigned flags = 0);
    // From that image of the chain, "vda[2]", into the one below it.
    Refusal commit_from(const std::string& target, const std::string& top);
    Refusal pull(const std::string& target);
    Refusal copy(const std::string& target, const DiskSpec& to, unsigned flags = 0);
    // Until the block job of a disk has copied everything, and then what `flags` of
    // virDomainBlockJobAbort say; without any, until it has ended by itself.
    Refusal finish_job(const std::string& target, int flags = -1);
    Refusal attach(const DiskSpec& disk);
    Refusal detach(const DiskSpec& disk);

    // Paths of a disk's chain as libvirt shows it, from the top on: "volume/path" of a network
    // disk.
    std::vector<std::string> chain(const std::string& target) const;

  private:
    static Answer<Guest> answer(virDomainPtr domain);
    explicit Guest(virDomainPtr domain) : domain_(domain) {}
    virDomainPtr domain_;
};

// The same in a document.
std::vector<std::string> chain_in(const std::string& xml, const std::string& target);

}  // namespace sfg::test
