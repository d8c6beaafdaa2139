// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "hooks/decide/looker.hpp"
#include "hooks/host/gluster_support.hpp"
#include "hooks/rewrite/found_image.hpp"

namespace sfg::hooks {

// Whether the document comes from another host, where its files may be what is mounted here too, or
// has been here.
enum class Occasion { arrives, stays };

// Which access the images of one guest get on this host: what is asked for here, else what the
// guest asks for, else what the configuration says of the volume, else "auto": network where the
// guest's emulator can open gluster disks, file where it cannot, and as it is where that is not
// known.
//
// A file that is a link, or no multiple of 512 bytes, means or reads something else over gfapi:
// "auto" leaves it a file, and asked to make it a network disk anyway is an error, as is a
// network disk that would become a link. "auto" also leaves a file what it is where it could not be
// opened over gfapi as qemu's user, and, unless it arrives, where its mount point is not mounted:
// then it is a file of this host.
class AccessChoice {
  public:
    // `asked` is nothing for the guest's and the volume's own. `volumes` must outlive this.
    // ErrorKind::invalid where the guest's own word is none.
    static Result<AccessChoice> make(const DomainXml& domain, const KnownVolumes& volumes,
                                     std::optional<Access> asked, Occasion occasion);

    Result<Access> choose(const FoundImage& image);

  private:
    AccessChoice(std::string emulator, const KnownVolumes& volumes, std::optional<Access> asked,
                 Occasion occasion)
        : emulator_(std::move(emulator)),
          volumes_(&volumes),
          looker_(volumes),
          asked_(asked),
          occasion_(occasion) {}

    Result<Access> automatic(const FoundImage& image);
    Result<Access> asked_for_network(const FoundImage& image);
    Result<Access> stay_or_become_file(const FoundImage& image);
    bool may_become_network(const FoundImage& image);

    std::string emulator_;
    const KnownVolumes* volumes_;
    Looker looker_;
    std::optional<Access> asked_;
    Occasion occasion_;
    std::optional<GlusterSupport> support_;
};

// "/usr/bin/qemu-system-x86_64 has no gluster driver", and why not where that is known.
std::string about_emulator(const std::string& emulator, const GlusterSupport& support);

}  // namespace sfg::hooks
