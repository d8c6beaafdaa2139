// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/rewrite.hpp"

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/rewrite/source_children.hpp"

namespace sfg::hooks {
namespace {

constexpr std::size_t kLongestName = 4096 + 256;  // bytes; a path and a gluster volume's name

// libvirt takes a <disk> without a type for a file (domain_conf.c, virDomainDiskDefParseXML); a
// <backingStore> must have one.
std::string_view type_of(pugi::xml_node image) {
    const auto type = image.attribute("type");
    if (!type && std::string_view(image.name()) == "disk") return "file";
    return type.value();
}

void set_type(pugi::xml_node image, const char* type) {
    if (!image.attribute("type")) image.prepend_attribute("type");
    image.attribute("type").set_value(type);
}

// What is true of local files alone: libvirt refuses a startupPolicy and <transient/> elsewhere,
// and an image that is given by descriptor is not the one by that path.
bool must_be_local(pugi::xml_node image) {
    const auto source = image.child("source");
    return source.attribute("startupPolicy") || source.attribute("fdgroup") ||
           image.child("transient");
}

// Takes out of a <source> what names an image, of whatever type: what libvirt passed over for the
// old type would count for the new one.
void remove_names(pugi::xml_node source) {
    for (const char* attribute : {"file", "protocol", "name", "query", "tls", "tlsHostname"})
        source.remove_attribute(attribute);
    for (const char* child : {"host", "snapshot", "config"}) remove_children(source, child);
}

struct ImageName {
    std::string volume;
    std::string path;  // as the document has it, without the slash after the volume
};

// What <source protocol='gluster' name='volume/path'> names; nothing for other sources.
std::optional<ImageName> gluster_name(pugi::xml_node image) {
    const auto source = image.child("source");
    if (type_of(image) != "network" ||
        std::string_view(source.attribute("protocol").value()) != "gluster")
        return std::nullopt;
    // As libvirt splits it (domain_conf.c, virDomainDiskSourceNetworkParse): at the first slash.
    const std::string name = source.attribute("name").value();
    const auto slash = name.find('/');
    if (slash == std::string::npos) return std::nullopt;
    return ImageName{name.substr(0, slash), name.substr(slash + 1)};
}

std::string shown_uri(const ImageName& name) {
    return "gluster://" + escaped(name.volume) + "/" + escaped(name.path);
}

Error of_disk(const std::string& disk, ErrorKind kind, const std::string& why) {
    return Error(kind, "disk '" + escaped(disk) + "': " + why);
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

Result<Rewritten> to_file(pugi::xml_node image, const std::string& disk,
                          const KnownVolumes& volumes, const KnownVolume& volume,
                          const ImageName& name) {
    if (name.path.size() > kLongestName)
        return of_disk(disk, ErrorKind::invalid,
                       "its name is over " + std::to_string(kLongestName) + " bytes");
    if (normalized(name.path).value_or("").empty())
        return of_disk(disk, ErrorKind::invalid,
                       shown_uri(name) + " is no name of a file in the volume");
    const auto local = volumes.local_path(volume, name.path);
    if (!local)
        return of_disk(disk, ErrorKind::unsupported,
                       shown_uri(name) + why_not_mounted(volume, name.path));
    set_type(image, "file");
    auto source = image.child("source");
    remove_names(source);
    set_first(source, "file", *local);
    return Rewritten{escaped(disk), shown_uri(name), escaped(*local)};
}

Result<Rewritten> to_network(pugi::xml_node image, const std::string& disk,
                             const PlaceInVolume& place) {
    auto source = image.child("source");
    const std::string local = source.attribute("file").value();
    if (place.volume->servers.empty())
        return of_disk(disk, ErrorKind::unsupported,
                       "no server of gluster volume '" + place.volume->name +
                           "' is known: name them by servers= in [volume " + place.volume->name +
                           "] of sf-gluster.conf");
    set_type(image, "network");
    remove_names(source);
    set_first(source, "name", place.volume->name + "/" + place.path);
    set_first(source, "protocol", "gluster");
    add_hosts(source, place.volume->servers);
    return Rewritten{escaped(disk), escaped(local), shown_uri({place.volume->name, place.path})};
}

}  // namespace

Result<Outcome> rewrite_images(DomainXml& domain, const KnownVolumes& volumes,
                               const Chooser& choose) {
    Outcome outcome;
    SFG_TRY(
        domain.for_each_image([&](pugi::xml_node image, const std::string& disk) -> Result<void> {
            if (const auto name = gluster_name(image)) {
                const KnownVolume* volume = volumes.find(name->volume);
                if (volume == nullptr) {
                    outcome.left.push_back({escaped(disk), shown_uri(*name), ""});
                    return {};
                }
                if (choose(*volume) != Access::file) return {};
                SFG_TRY_ASSIGN(auto done, to_file(image, disk, volumes, *volume, *name));
                outcome.rewritten.push_back(std::move(done));
            } else if (type_of(image) == "file") {
                const auto source = image.child("source");
                const auto place = volumes.locate(source.attribute("file").value());
                if (!place || must_be_local(image) || choose(*place->volume) != Access::network)
                    return {};
                SFG_TRY_ASSIGN(auto done, to_network(image, disk, *place));
                outcome.rewritten.push_back(std::move(done));
            }
            return {};
        }));
    return outcome;
}

}  // namespace sfg::hooks
