// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/doctor/volume_info.hpp"

#include <pugixml.hpp>

#include "driver/core/log.hpp"

namespace sfg::doctor {
namespace {

bool is_on(const std::string& value) {
    return value == "on" || value == "yes" || value == "true" || value == "enable" || value == "1";
}

class Check {
  public:
    Check(const VolumeInfo& info, const std::string& qemu_uid) : info_(info), qemu_uid_(qemu_uid) {}

    Findings run() {
        if (!info_.started) {
            add(Level::problem, "it is not started", "gluster volume start " + info_.name);
            return std::move(findings_);
        }
        owner();
        if (has("server.allow-insecure") && !is_on(value("server.allow-insecure")))
            add(Level::problem,
                "server.allow-insecure is off: qemu, which has no privileged port, cannot open "
                "network disks",
                set("server.allow-insecure on"));
        replicas();
        speed();
        if (findings_.empty()) add(Level::fine, "its options suit guests", "");
        return std::move(findings_);
    }

  private:
    bool has(const std::string& option) const { return info_.options.contains(option); }
    std::string value(const std::string& option) const {
        const auto found = info_.options.find(option);
        return found == info_.options.end() ? "" : found->second;
    }
    std::string set(const std::string& what) const {
        return "gluster volume set " + info_.name + " " + what;
    }
    void add(Level level, const std::string& what, const std::string& mend) {
        findings_.push_back({level, "volume " + info_.name, what, mend});
    }

    // The images of a guest that starts are given to qemu's user by libvirtd, which is root, unless
    // the bricks do not let root be root. The group is no matter: its number differs between hosts.
    void owner() {
        if (qemu_uid_.empty() || value("storage.owner-uid") == qemu_uid_) return;
        const std::string which =
            "storage.owner-uid is " +
            (has("storage.owner-uid") ? value("storage.owner-uid") : "not set") +
            ": the volume's root does not belong to qemu's user (" + qemu_uid_ + ")";
        const bool squashed =
            is_on(value("server.root-squash")) || is_on(value("server.all-squash"));
        if (squashed)
            add(Level::warning,
                which +
                    ", and the volume squashes root, so that libvirtd cannot give it the images",
                set("storage.owner-uid " + qemu_uid_));
        else
            add(Level::note, which + "; libvirtd gives it the images", "");
    }

    void replicas() {
        if (info_.replicas < 2) {
            add(Level::note, "it is not replicated: a lost brick is lost data", "");
            return;
        }
        if (info_.replicas == 2 && info_.arbiters == 0)
            add(Level::warning,
                "replica 2 without an arbiter: a split brain is possible, and with a quorum one "
                "lost brick makes it read-only",
                "gluster volume add-brick " + info_.name + " replica 3 arbiter 1 HOST:BRICK");
        // gluster's own default is auto for three and more.
        const std::string quorum = value("cluster.quorum-type");
        if (quorum == "none" || (quorum.empty() && info_.replicas == 2))
            add(Level::warning, "no quorum: two hosts that see different bricks can both write",
                set("cluster.quorum-type auto"));
    }

    // Measured with a guest's qcow2 image on one brick: the time of small writes as a multiple.
    void speed() {
        if (value("performance.write-behind") == "off")
            add(Level::warning,
                "performance.write-behind is off: small writes take 3 to 5 times "
                "as long",
                set("performance.write-behind on"));
        if (is_on(value("performance.strict-o-direct")))
            add(Level::note,
                "performance.strict-o-direct is on (the group \"virt\" brings it): small writes "
                "take 4 to 6 times as long; without it a guest's cache='none' ends in the "
                "client's write-behind, which a flush empties",
                "");
        if (has("performance.write-behind-window-size") &&
            value("performance.write-behind-window-size") != "1MB")
            add(Level::note,
                "performance.write-behind-window-size is " +
                    value("performance.write-behind-window-size") +
                    ": 8MB made small writes up to 11 times as slow as 1MB",
                "gluster volume reset " + info_.name + " performance.write-behind-window-size");
        if (is_on(value("performance.client-io-threads")) ||
            (!has("performance.client-io-threads") && info_.replicas == 1))
            add(Level::note,
                "performance.client-io-threads is on: small I/O of guests on FUSE mounts took 0.7 "
                "to "
                "0.9 of the time without, on two cores; over gfapi it made no difference",
                "");
        if (is_on(value("features.shard")))
            add(Level::note,
                "it is sharded: holes are found by looking for zeros, which makes copies slower; "
                "never turn features.shard off again, which loses data",
                "");
    }

    const VolumeInfo& info_;
    const std::string& qemu_uid_;
    Findings findings_;
};

}  // namespace

Result<VolumeInfo> parse_volume_info(const std::string& xml) {
    pugi::xml_document document;
    if (!document.load_buffer(xml.data(), xml.size()))
        return Error(ErrorKind::invalid, "gluster's answer is no XML");
    const auto output = document.child("cliOutput");
    if (output.child("opRet").text().as_int(-1) != 0)
        return Error(ErrorKind::not_found, escaped(output.child_value("opErrstr")));
    const auto volume = output.child("volInfo").child("volumes").child("volume");
    if (!volume) return Error(ErrorKind::not_found, "gluster knows no such volume");
    VolumeInfo info;
    info.name = volume.child_value("name");
    info.started = std::string_view(volume.child_value("statusStr")) == "Started";
    info.replicas = volume.child("replicaCount").text().as_int(1);
    info.arbiters = volume.child("arbiterCount").text().as_int(0);
    for (const auto option : volume.child("options").children("option"))
        info.options[option.child_value("name")] = escaped(option.child_value("value"));
    return info;
}

Findings check_volume(const VolumeInfo& info, const std::string& qemu_uid) {
    return Check(info, qemu_uid).run();
}

}  // namespace sfg::doctor
