// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/decide/start_check.hpp"

#include <optional>

#include "driver/core/log.hpp"
#include "driver/core/trusted_file.hpp"
#include "hooks/decide/access_choice.hpp"
#include "hooks/look/mounted_look.hpp"

namespace sfg::hooks {
namespace {

constexpr std::chrono::milliseconds kAutomountLimit{10000};

class StartCheck {
  public:
    StartCheck(DomainXml& domain, const KnownVolumes& volumes,
               const std::function<Result<HostDescription>()>& look_again)
        : guest_(domain.name()),
          emulator_(domain.emulator()),
          volumes_(volumes),
          looker_(volumes),
          look_again_(look_again) {}

    Result<void> check(const FoundImage& image) {
        return image.access == Access::network ? check_network(image) : check_file(image);
    }

  private:
    Error refuse(const FoundImage& image, const std::string& why) const {
        return Error(ErrorKind::unsupported,
                     "guest '" + escaped(guest_) + "' cannot start: disk '" + image.disk +
                         "', on gluster volume '" + escaped(image.volume_name) + "': " + why);
    }

    Result<void> check_network(const FoundImage& image) {
        if (!support_) support_ = gluster_support(emulator_);
        if (support_->answer == GlusterSupport::Answer::no)
            return refuse(image, without_driver(image));
        const auto look = looker_.look(image);
        if (look.unpadded.empty()) return {};
        const auto local =
            image.volume ? volumes_.local_path(*image.volume, image.path) : std::nullopt;
        return refuse(image, about_unpadded(look.unpadded.front(), image.volume_name,
                                            local ? local->mount : nullptr));
    }

    std::string without_driver(const FoundImage& image) const {
        const auto os_release = read_trusted_file("/usr/lib/os-release");
        const auto package = driver_package(support_->version, os_release ? *os_release : "");
        std::string why =
            "it is a network disk, and " + about_emulator(emulator_, *support_) + ": ";
        if (!package.empty()) why += package + ", or ";
        const std::string convert = "run `sf-gluster convert " + shell_word(escaped(guest_)) + "`";
        const auto local =
            image.volume ? volumes_.local_path(*image.volume, image.path) : std::nullopt;
        if (!local)
            return why + "mount the volume on this host and " + convert + ", which makes it a file";
        if (!local->mount->mounted) why += "run `" + local->mount->mount_command + "` and ";
        return why + convert + ", which makes it a file on " + escaped(local->mount->mount_point);
    }

    Result<void> check_file(const FoundImage& image) {
        if (image.may_be_missing) return {};
        if (!is_mounted(*image.mount))
            return refuse(image, "it is " + image.shown + ", and " +
                                     escaped(image.mount->mount_point) + " is not mounted: run `" +
                                     image.mount->mount_command + "`");
        const auto look = looker_.look_on(*image.mount, image.path, image.format);
        if (look.top != ChainLook::Top::unknown) return {};
        // A dead client, or one that hangs, and libvirtd would with it. All else is for libvirt to
        // tell.
        if (look.why.find("not connected") == std::string::npos &&
            look.why.find("does not answer") == std::string::npos)
            return {};
        const std::string point = shell_word(image.mount->mount_point);
        return refuse(image, "the mount on " + escaped(image.mount->mount_point) +
                                 " is of no use (" + look.why + "): run `umount --lazy " + point +
                                 "` and `" + image.mount->mount_command + "`");
    }

    // Of what the mount table had, or has now that autofs was asked.
    bool is_mounted(const MountedDirectory& mount) {
        if (mount.mounted) return true;
        wake_automount(mount.mount_point, kAutomountLimit);
        const auto host = look_again_();
        if (!host) return false;
        for (const FuseMount& real : parse_fuse_mounts(host->mountinfo))
            if (real.mount_point == mount.mount_point && real.directory == mount.directory)
                return true;
        return false;
    }

    std::string guest_;
    std::string emulator_;
    const KnownVolumes& volumes_;
    Looker looker_;
    const std::function<Result<HostDescription>()>& look_again_;
    std::optional<GlusterSupport> support_;
};

}  // namespace

Result<void> check_start(DomainXml& domain, const KnownVolumes& volumes,
                         const std::function<Result<HostDescription>()>& look_again) {
    StartCheck check(domain, volumes, look_again);
    return for_each_gluster_image(domain, volumes,
                                  [&](const FoundImage& image) { return check.check(image); });
}

}  // namespace sfg::hooks
