// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/decide/access_choice.hpp"

#include "driver/core/log.hpp"

namespace sfg::hooks {
namespace {

// Why a file is not the same over the other way; "" where it is, as far as can be seen.
std::string obstacle(const ChainLook& look) {
    if (look.top == ChainLook::Top::link)
        return " leads over a symbolic link, which means something else over gfapi than on a FUSE "
               "mount: name the file itself";
    if (look.top == ChainLook::Top::other) return " is no regular file";
    return "";
}

}  // namespace

std::string about_emulator(const std::string& emulator, const GlusterSupport& support) {
    return escaped(emulator) + " has no gluster driver" +
           (driver_package(support.version, "").empty() ? " (QEMU 11.1 has removed it)" : "");
}

Result<AccessChoice> AccessChoice::make(const DomainXml& domain, const KnownVolumes& volumes,
                                        std::optional<Access> asked) {
    if (!asked) {
        SFG_TRY_ASSIGN(asked, domain.own_access());
    }
    return AccessChoice(domain.emulator(), volumes, asked);
}

const GlusterSupport& AccessChoice::support() {
    if (!support_) support_ = gluster_support(emulator_);
    return *support_;
}

Result<Access> AccessChoice::choose(const FoundImage& image) {
    const auto wanted = asked_ ? asked_ : image.volume->access;
    if (wanted == Access::network) return stay_or_become_network(image, true);
    if (wanted == Access::file) return stay_or_become_file(image);
    if (support().answer == GlusterSupport::Answer::yes)
        return stay_or_become_network(image, false);
    if (image.access == Access::network && !volumes_->local_path(*image.volume, image.path)) {
        // Nothing is better known.
        if (support().answer == GlusterSupport::Answer::unknown) return Access::network;
        return Error(ErrorKind::unsupported,
                     about_emulator(emulator_, support()) + ", and " + image.shown +
                         " is on no FUSE mount of this host: mount the volume, or name the place "
                         "by mount= in [volume " +
                         image.volume_name + "] of sf-gluster.conf");
    }
    return stay_or_become_file(image);
}

Result<Access> AccessChoice::stay_or_become_network(const FoundImage& image, bool must) {
    if (image.access == Access::network) return Access::network;
    const auto look = looker_.look(image);
    std::string why = obstacle(look);
    if (!why.empty()) why = image.shown + why;
    if (why.empty() && !look.unpadded.empty())
        why = about_unpadded(look.unpadded.front(), image.volume_name, image.mount);
    if (why.empty()) return Access::network;
    if (!must) return Access::file;
    return Error(ErrorKind::unsupported, why);
}

Result<Access> AccessChoice::stay_or_become_file(const FoundImage& image) {
    if (image.access == Access::file) return Access::file;
    const auto local = volumes_->local_path(*image.volume, image.path);
    if (local && local->mount->mounted) {
        const auto why = obstacle(looker_.look_on(*local->mount, image.path, image.format));
        if (!why.empty()) return Error(ErrorKind::unsupported, image.shown + why);
    }
    return Access::file;
}

}  // namespace sfg::hooks
