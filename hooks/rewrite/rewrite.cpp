// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/rewrite.hpp"

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/rewrite/network_hosts.hpp"

namespace sfg::hooks {
namespace {

struct ImageName {
    std::string volume;
    std::string path;  // as the document has it, without the slash after the volume
};

// What <source protocol='gluster' name='volume/path'> names; nothing for other sources.
std::optional<ImageName> gluster_name(pugi::xml_node image) {
    const auto source = image.child("source");
    if (std::string_view(image.attribute("type").value()) != "network" ||
        std::string_view(source.attribute("protocol").value()) != "gluster")
        return std::nullopt;
    // As libvirt splits it (domain_conf.c, virDomainDiskSourceNetworkParse): at the first slash.
    const std::string name = source.attribute("name").value();
    const auto slash = name.find('/');
    if (slash == std::string::npos) return std::nullopt;
    return ImageName{name.substr(0, slash), name.substr(slash + 1)};
}

Error of_disk(const std::string& disk, ErrorKind kind, const std::string& why) {
    return Error(kind, "disk '" + escaped(disk) + "': " + why);
}

void set_first(pugi::xml_node node, const char* name, const std::string& value) {
    node.remove_attribute(name);
    node.prepend_attribute(name).set_value(value.c_str());
}

Result<Rewritten> to_file(pugi::xml_node image, const std::string& disk, const KnownVolume& volume,
                          const ImageName& name) {
    const auto path = normalized(name.path);
    const std::string shown = "gluster://" + volume.name + "/" + escaped(name.path);
    if (!path || path->empty())
        return of_disk(disk, ErrorKind::invalid, shown + " is no file in the volume");
    const auto local = volume.local_path(*path);
    if (!local)
        return of_disk(disk, ErrorKind::unsupported,
                       shown +
                           " is on no FUSE mount of this host: mount the volume, or name the "
                           "place by mount= in [volume " +
                           volume.name + "] of /etc/libvirt/sf-gluster.conf");
    image.attribute("type").set_value("file");
    auto source = image.child("source");
    for (const char* attribute : {"protocol", "name", "query", "tls", "tlsHostname"})
        source.remove_attribute(attribute);
    remove_hosts(source);
    set_first(source, "file", *local);
    return Rewritten{disk, shown, *local};
}

Result<Rewritten> to_network(pugi::xml_node image, const std::string& disk,
                             const PlaceInVolume& place) {
    auto source = image.child("source");
    const std::string local = source.attribute("file").value();
    if (place.volume->servers.empty())
        return of_disk(disk, ErrorKind::unsupported,
                       "no server of gluster volume '" + place.volume->name +
                           "' is known: name them by servers= in [volume " + place.volume->name +
                           "] of /etc/libvirt/sf-gluster.conf");
    image.attribute("type").set_value("network");
    source.remove_attribute("file");
    source.remove_attribute("fdgroup");
    set_first(source, "name", place.volume->name + "/" + place.path);
    set_first(source, "protocol", "gluster");
    add_hosts(source, place.volume->servers);
    return Rewritten{disk, escaped(local), "gluster://" + place.volume->name + "/" + place.path};
}

}  // namespace

Result<std::vector<Rewritten>> rewrite_images(DomainXml& domain, const KnownVolumes& volumes,
                                              const Chooser& choose) {
    std::vector<Rewritten> all;
    SFG_TRY(
        domain.for_each_image([&](pugi::xml_node image, const std::string& disk) -> Result<void> {
            if (const auto name = gluster_name(image)) {
                const KnownVolume* volume = volumes.find(name->volume);
                if (volume == nullptr || choose(*volume) != Access::file) return {};
                SFG_TRY_ASSIGN(auto done, to_file(image, disk, *volume, *name));
                all.push_back(std::move(done));
            } else if (std::string_view(image.attribute("type").value()) == "file") {
                const auto source = image.child("source");
                const auto place = volumes.locate(source.attribute("file").value());
                if (!place || source.attribute("startupPolicy") ||
                    choose(*place->volume) != Access::network)
                    return {};
                SFG_TRY_ASSIGN(auto done, to_network(image, disk, *place));
                all.push_back(std::move(done));
            }
            return {};
        }));
    return all;
}

}  // namespace sfg::hooks
