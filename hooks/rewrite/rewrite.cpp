// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/rewrite.hpp"

#include <string_view>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/rewrite/source_children.hpp"

namespace sfg::hooks {
namespace {

constexpr std::size_t kLongestName = 4096 + 256;  // bytes; a path and a gluster volume's name

void set_type(pugi::xml_node image, const char* type) {
    if (!image.attribute("type")) image.prepend_attribute("type");
    image.attribute("type").set_value(type);
}

// Takes out of a <source> what names an image, of whatever type: what libvirt passed over for the
// old type would count for the new one.
void remove_names(pugi::xml_node source) {
    for (const char* attribute : {"file", "protocol", "name", "query", "tls", "tlsHostname"})
        source.remove_attribute(attribute);
    for (const char* child : {"host", "snapshot", "config"}) remove_children(source, child);
}

Error of_disk(const FoundImage& image, ErrorKind kind, const std::string& why) {
    return Error(kind, "disk '" + image.disk + "': " + why);
}

void set_first(pugi::xml_node node, const char* name, const std::string& value) {
    node.remove_attribute(name);
    node.prepend_attribute(name).set_value(value.c_str());
}

// The end of a sentence about an image that no mount shows.
std::string why_not_mounted(const KnownVolume& volume, const std::string& path) {
    if (volume.mounts.empty())
        return " is on no FUSE mount of this host: mount the volume, or name the place by mount= "
               "in "
               "[volume " +
               volume.name + "] of sf-gluster.conf";
    for (const auto& mount : volume.mounts) {
        const auto plain = normalized(path);
        if (plain && is_below(*plain, mount.directory))
            return " is hidden: another file system is mounted over its place below " +
                   mount.mount_point;
    }
    return " leads out of '" + volume.mounts.front().directory +
           "', the directory of the volume that is mounted on " + volume.mounts.front().mount_point;
}

Result<Rewritten> to_file(const FoundImage& image, const KnownVolumes& volumes) {
    if (image.path.size() > kLongestName)
        return of_disk(image, ErrorKind::invalid,
                       "its name is over " + std::to_string(kLongestName) + " bytes");
    if (normalized(image.path).value_or("").empty())
        return of_disk(image, ErrorKind::invalid,
                       image.shown + " is no name of a file in the volume");
    const auto local = volumes.local_path(*image.volume, image.path);
    if (!local)
        return of_disk(image, ErrorKind::unsupported,
                       image.shown + why_not_mounted(*image.volume, image.path));
    set_type(image.node, "file");
    auto source = image.node.child("source");
    remove_names(source);
    set_first(source, "file", local->path);
    return Rewritten{image.disk, image.shown, escaped(local->path)};
}

Result<Rewritten> to_network(const FoundImage& image, const KnownVolumes& volumes) {
    const auto servers = volumes.servers_of(*image.volume);
    if (servers.empty())
        return of_disk(image, ErrorKind::unsupported,
                       "no server of gluster volume '" + image.volume_name +
                           "' is known: name them by servers= in [volume " + image.volume_name +
                           "] of sf-gluster.conf");
    set_type(image.node, "network");
    auto source = image.node.child("source");
    remove_names(source);
    set_first(source, "name", image.volume_name + "/" + image.path);
    set_first(source, "protocol", "gluster");
    add_hosts(source, servers);
    return Rewritten{image.disk, image.shown, shown_name(image.volume_name, image.path)};
}

}  // namespace

Result<Outcome> rewrite_images(DomainXml& domain, const KnownVolumes& volumes,
                               const Chooser& choose) {
    Outcome outcome;
    SFG_TRY(for_each_gluster_image(domain, volumes, [&](const FoundImage& image) -> Result<void> {
        if (image.must_stay_file) return {};
        if (image.volume == nullptr || !image.why_not.empty()) {
            outcome.left.push_back({image.disk, image.shown,
                                    !image.why_not.empty()
                                        ? image.why_not
                                        : "no volume of that name is known on this host (mount "
                                          "table, /etc/fstab, pools, sf-gluster.conf)"});
            return {};
        }
        auto wanted = choose(image);
        if (!wanted) return wanted.error().with_context("disk '" + image.disk + "'");
        if (*wanted == image.access) return {};
        SFG_TRY_ASSIGN(auto done, *wanted == Access::file ? to_file(image, volumes)
                                                          : to_network(image, volumes));
        outcome.rewritten.push_back(std::move(done));
        return {};
    }));
    return outcome;
}

}  // namespace sfg::hooks
