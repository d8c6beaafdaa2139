// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/decide/access_choice.hpp"

#include "driver/core/log.hpp"
#include "hooks/look/chain_look.hpp"

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
                                        std::optional<Access> asked, Occasion occasion) {
    if (!asked) {
        SFG_TRY_ASSIGN(asked, domain.own_access());
    }
    return AccessChoice(domain.emulator(), volumes, asked, occasion);
}

Result<Access> AccessChoice::choose(const FoundImage& image) {
    const auto wanted = asked_ ? asked_ : image.volume->access;
    if (!wanted) return automatic(image);
    return wanted == Access::network ? asked_for_network(image) : stay_or_become_file(image);
}

Result<Access> AccessChoice::automatic(const FoundImage& image) {
    if (!support_) support_ = gluster_support(emulator_);
    switch (support_->answer) {
        case GlusterSupport::Answer::unknown:
            return image.access;
        case GlusterSupport::Answer::yes:
            return image.access == Access::network || may_become_network(image) ? Access::network
                                                                                : Access::file;
        case GlusterSupport::Answer::no:
            break;
    }
    if (image.access == Access::network && !volumes_->local_path(*image.volume, image.path))
        return Error(ErrorKind::unsupported,
                     about_emulator(emulator_, *support_) + ", and " + image.shown +
                         " is on no FUSE mount of this host: mount the volume, or name the place "
                         "by mount= in [volume " +
                         image.volume_name + "] of sf-gluster.conf");
    return stay_or_become_file(image);
}

bool AccessChoice::may_become_network(const FoundImage& image) {
    if (!image.mount->mounted && occasion_ == Occasion::stays) return false;
    const auto look = looker_.look(image);
    return look.top == ChainLook::Top::file && look.unpadded.empty() &&
           looker_.is_reached_over_gfapi(image);
}

Result<Access> AccessChoice::asked_for_network(const FoundImage& image) {
    if (image.access == Access::network) return Access::network;
    const auto look = looker_.look(image);
    const std::string why = obstacle(look);
    if (!why.empty()) return Error(ErrorKind::unsupported, image.shown + why);
    if (!look.unpadded.empty())
        return Error(ErrorKind::unsupported,
                     about_unpadded(look.unpadded.front(), image.volume_name, image.mount));
    return Access::network;
}

Result<Access> AccessChoice::stay_or_become_file(const FoundImage& image) {
    if (image.access == Access::file) return Access::file;
    const auto local = volumes_->local_path(*image.volume, image.path);
    if (!local) return Access::file;  // there is none, as the rewriting will say
    const auto look = looker_.look_on(*local->mount, image);
    std::string why = obstacle(look);
    // Where nobody can look, qemu cannot either; but a file that is kept from root may be a link.
    if (why.empty() && look.top == ChainLook::Top::unknown &&
        look.failure == ChainLook::Failure::other)
        why = " cannot be looked at (" + look.why + "), and might be a symbolic link";
    if (!why.empty()) return Error(ErrorKind::unsupported, image.shown + why);
    return Access::file;
}

}  // namespace sfg::hooks
