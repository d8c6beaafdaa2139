// SPDX-License-Identifier: LGPL-2.1-or-later
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "hooks/doctor/parts.hpp"

namespace sfg::doctor {
namespace {

bool is_there(const std::string& path) {
    return access(path.c_str(), R_OK) == 0;
}

// Our loader says what it does; libvirt's own module has no such words.
bool is_our_loader(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    return bytes.find("sf-gluster: ") != std::string::npos;
}

Finding check_module(const std::string& libdir, const std::string& version, const char* kind,
                     const std::string& served) {
    const std::string file = std::string("libvirt_storage_") + kind + "_gluster.so";
    const std::string loader = libdir + "/libvirt/storage-" + kind + "/" + file;
    const std::string ours = libdir + "/sf-gluster/abi-" + version + "-" + kind + ".so";
    const std::string stock = libdir + "/sf-gluster/stock/" + file;
    auto finding = [&](Level level, const std::string& what, const std::string& mend = "") {
        return Finding{level, served, what, mend};
    };
    if (!is_there(loader))
        return finding(Level::problem, "there is no " + loader + ": libvirt has none at all",
                       "install sf-gluster again");
    if (!is_our_loader(loader))
        return finding(Level::problem,
                       loader +
                           " is libvirt's own module, which makes no volumes and is slow at "
                           "guests' starts",
                       "install sf-gluster again, which moves it aside (dpkg-divert)");
    if (is_there(ours)) return finding(Level::fine, "served by " + ours);
    if (is_there(stock))
        return finding(Level::problem,
                       "served by libvirt's own module (" + stock +
                           "), as there is none of ours "
                           "for libvirt " +
                           version,
                       "install an sf-gluster that was built for libvirt " + version);
    return finding(Level::problem,
                   "there is neither " + ours + " nor libvirt's own module (" + stock + ")",
                   "install an sf-gluster that was built for libvirt " + version);
}

}  // namespace

Findings check_modules(const std::string& libdir, const std::string& version) {
    return {{Level::note, "libvirt", "version " + version},
            check_module(libdir, version, "backend", "gluster pools"),
            check_module(libdir, version, "file", "gluster disks of guests")};
}

}  // namespace sfg::doctor
