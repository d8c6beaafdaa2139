// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "hooks/rewrite/domain_xml.hpp"
#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::hooks {

// An image of a gluster volume in a guest's document: a disk's own, or one of its chain.
struct FoundImage {
    pugi::xml_node node;  // the <disk> or <backingStore>
    std::string disk;     // the disk's target, "vda"; escaped
    Access access = Access::network;
    std::string volume_name;              // the gluster volume
    std::string path;                     // in the volume, as the document has it
    const KnownVolume* volume = nullptr;  // null where it is not known; never for files
    std::string why_not;  // known by name, but it must be left as it is: the end of a sentence
    const MountedDirectory* mount = nullptr;  // of files
    std::string shown;                        // as messages name it
    std::string format;                       // "qcow2", "raw"; "" where the document does not say
    bool must_stay_file = false;              // libvirt takes such a disk for local files alone
    bool chain_given = false;                 // the document says what is below it
    bool may_be_missing = false;              // a startupPolicy says so
    std::vector<Server> servers;              // of network disks, as the document has them
};

// Calls `work` with each image of gluster, network disks of volumes that are not known included,
// until it returns an error. Local files, and other protocols, are passed over. Errors of
// DomainXml::for_each_image.
Result<void> for_each_gluster_image(DomainXml& domain, const KnownVolumes& volumes,
                                    const std::function<Result<void>(const FoundImage&)>& work);

// "volume/path", escaped, as libvirt names network disks.
std::string shown_name(const std::string& volume, const std::string& path);

}  // namespace sfg::hooks
