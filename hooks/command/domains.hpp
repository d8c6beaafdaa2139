// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <memory>
#include <string>
#include <vector>

#include "driver/core/result.hpp"

namespace sfg::command {

// A connection to libvirt. Errors are libvirt's own sentences.
class Libvirt {
  public:
    // "" is libvirt's default. ErrorKind::unsupported for a libvirtd of another host.
    static Result<Libvirt> open(const std::string& uri);

    // What it is connected to, such as qemu:///session.
    std::string uri() const;

    // Names of all guests that have a definition on disk.
    Result<std::vector<std::string>> persistent_guests() const;

    // Guests go by name or UUID.

    // A guest's definition as it will be used at the next start, secrets included, since it is to
    // be defined again. ErrorKind::unsupported for one that has none on disk.
    Result<std::string> definition(const std::string& guest) const;
    Result<void> define(const std::string& document) const;
    Result<bool> is_running(const std::string& guest) const;

  private:
    struct Close {
        void operator()(virConnectPtr connection) const { virConnectClose(connection); }
    };
    explicit Libvirt(virConnectPtr connection) : connection_(connection) {}
    std::unique_ptr<virConnect, Close> connection_;
};

}  // namespace sfg::command
