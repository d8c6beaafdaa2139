// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/decide/start_check.hpp"

#include <unistd.h>

#include <optional>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "driver/core/trusted_file.hpp"
#include "hooks/decide/access_choice.hpp"
#include "hooks/look/mounted_look.hpp"
#include "hooks/rewrite/shell_word.hpp"

namespace sfg::hooks {
namespace {

constexpr std::chrono::milliseconds kAutomountLimit{5000};

class StartCheck {
  public:
    StartCheck(const DomainXml& domain, const KnownVolumes& volumes,
               const std::function<std::string()>& mountinfo_now)
        : guest_(domain.name()),
          emulator_(domain.emulator()),
          volumes_(volumes),
          looker_(volumes),
          mountinfo_now_(mountinfo_now) {}

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
        for (const auto& unpadded : looker_.look(image).unpadded) {
            if (unpadded.opens) continue;
            const auto local =
                image.volume ? volumes_.local_path(*image.volume, image.path) : std::nullopt;
            return refuse(
                image, about_unpadded(unpadded, image.volume_name, local ? local->mount : nullptr));
        }
        return {};
    }

    std::string without_driver(const FoundImage& image) {
        const auto os_release = read_trusted_file("/usr/lib/os-release");
        const auto package = driver_package(support_->version, os_release ? *os_release : "");
        return "it is a network disk, and " + about_emulator(emulator_, *support_) + ": " +
               (package.empty() ? "" : package + ", or ") + as_a_file(image);
    }

    // How such a disk becomes a file; the end of a sentence.
    std::string as_a_file(const FoundImage& image) {
        // libvirt's own file of the definition: a guest without has nothing to be converted.
        const bool is_defined = last_of(guest_) == guest_ &&
                                access(("/etc/libvirt/qemu/" + guest_ + ".xml").c_str(), F_OK) == 0;
        const std::string convert =
            is_defined ? "run `sf-gluster convert --to file " + shell_word(guest_) + "`"
                       : "start it from a document that `sf-gluster rewrite --to file` has made";
        const auto local =
            image.volume ? volumes_.local_path(*image.volume, image.path) : std::nullopt;
        if (!local)
            return (image.why_not.empty() ? "mount the volume on this host and " + convert
                                          : image.why_not + ", and " + convert) +
                   ", which makes it a file";
        if (local->mount->mounted &&
            looker_.look_on(*local->mount, image).top == ChainLook::Top::link)
            return "make the disk a file by hand: its image, " + escaped(local->path) +
                   ", leads over a symbolic link, which is another file there than over gfapi";
        std::string first;
        if (!local->mount->mounted)
            first = local->mount->mount_command.empty()
                        ? "mount the volume on " + escaped(local->mount->mount_point) + " and "
                        : "run `" + local->mount->mount_command + "` and ";
        return first + convert + ", which makes it a file on " + escaped(local->mount->mount_point);
    }

    Result<void> check_file(const FoundImage& image) {
        if (image.may_be_missing) return {};
        const std::string point = escaped(image.mount->mount_point);
        const std::string& command = image.mount->mount_command;
        const std::string mend =
            command.empty() ? "mount the volume there" : "run `" + command + "`";
        if (!is_mounted(*image.mount, image.volume_name))
            return refuse(image,
                          "it is " + image.shown + ", and " + point + " is not mounted: " + mend);
        const auto look = looker_.look_on(*image.mount, image);
        if (look.failure != ChainLook::Failure::dead) return {};
        return refuse(image, "the mount on " + point +
                                 " is of no use, as its client has died: run "
                                 "`umount --lazy " +
                                 shell_word(image.mount->mount_point) + "`, and " + mend);
    }

    // By the mount table, or really: autofs may have been asked by that, and the mount point may be
    // named by a link.
    bool is_mounted(const MountedDirectory& mount, const std::string& volume) {
        if (mount.mounted) return true;
        const auto real = real_directory(mount.mount_point, kAutomountLimit);
        if (real.empty()) return false;
        const auto found = parse_fuse_path(real, mountinfo_now_());
        return found && found->volume == volume && found->path == mount.directory;
    }

    std::string guest_;
    std::string emulator_;
    const KnownVolumes& volumes_;
    Looker looker_;
    const std::function<std::string()>& mountinfo_now_;
    std::optional<GlusterSupport> support_;
};

}  // namespace

Result<void> check_start(DomainXml& domain, const KnownVolumes& volumes,
                         const std::function<std::string()>& mountinfo_now) {
    StartCheck check(domain, volumes, mountinfo_now);
    return for_each_gluster_image(domain, volumes,
                                  [&](const FoundImage& image) { return check.check(image); });
}

}  // namespace sfg::hooks
