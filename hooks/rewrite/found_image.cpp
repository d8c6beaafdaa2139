// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/found_image.hpp"

#include <optional>
#include <string_view>

#include "driver/core/log.hpp"

namespace sfg::hooks {
namespace {

// libvirt takes a <disk> without a type for a file (domain_conf.c, virDomainDiskDefParseXML); a
// <backingStore> must have one.
std::string_view type_of(pugi::xml_node image) {
    const auto type = image.attribute("type");
    if (!type && std::string_view(image.name()) == "disk") return "file";
    return type.value();
}

// What is true of local files alone: libvirt refuses a startupPolicy and <transient/> elsewhere,
// and an image that is given by descriptor is not the one by that path.
bool must_be_local(pugi::xml_node image) {
    const auto source = image.child("source");
    return source.attribute("startupPolicy") || source.attribute("fdgroup") ||
           image.child("transient");
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

std::vector<Server> servers_of(pugi::xml_node source) {
    std::vector<Server> servers;
    for (const auto host : source.children("host")) {
        if (host.attribute("socket"))
            servers.push_back({"", 0, host.attribute("socket").value()});
        else
            servers.push_back({host.attribute("name").value(), host.attribute("port").as_int()});
    }
    return servers;
}

std::string format_of(pugi::xml_node image) {
    const bool is_disk = std::string_view(image.name()) == "disk";
    return image.child(is_disk ? "driver" : "format").attribute("type").value();
}

}  // namespace

std::string shown_name(const std::string& volume, const std::string& path) {
    return escaped(volume) + "/" + escaped(path);
}

Result<void> for_each_gluster_image(DomainXml& domain, const KnownVolumes& volumes,
                                    const std::function<Result<void>(const FoundImage&)>& work) {
    return domain.for_each_image([&](pugi::xml_node node, const std::string& disk) -> Result<void> {
        FoundImage image;
        image.node = node;
        image.disk = escaped(disk);
        image.format = format_of(node);
        image.chain_given = !node.child("backingStore").empty();
        const auto source = node.child("source");
        if (const auto name = gluster_name(node)) {
            image.access = Access::network;
            image.volume_name = name->volume;
            image.path = name->path;
            image.shown = shown_name(name->volume, name->path);
            image.servers = servers_of(source);
            if (const KnownVolume* volume = volumes.find(name->volume)) {
                image.why_not = volumes.why_ambiguous(*volume);
                if (image.why_not.empty())
                    image.why_not = volumes.why_another(*volume, image.servers);
                if (image.why_not.empty()) image.volume = volume;
            }
            return work(image);
        }
        if (type_of(node) != "file") return {};
        const std::string file = source.attribute("file").value();
        const auto place = volumes.locate(file);
        if (!place) return {};
        const std::string_view policy = source.attribute("startupPolicy").value();
        image.access = Access::file;
        image.volume_name = place->volume->name;
        image.path = place->path;
        image.volume = place->volume;
        image.why_not = volumes.why_ambiguous(*place->volume);
        image.mount = place->mount;
        image.shown = escaped(file);
        image.must_stay_file = must_be_local(node);
        image.may_be_missing = policy == "optional" || policy == "requisite";
        return work(image);
    });
}

}  // namespace sfg::hooks
