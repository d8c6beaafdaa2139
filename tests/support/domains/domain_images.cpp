// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/domains/domain_images.hpp"

#include <libxml/parser.h>

#include <algorithm>
#include <set>

#include "tests/support/domains/gluster_host.hpp"

namespace sfg::test {
namespace {

std::string text_of(const xmlChar* text) {
    return text != nullptr ? reinterpret_cast<const char*>(text) : "";
}

std::string name_of(const xmlNs* space, const xmlChar* name) {
    return (space != nullptr && space->prefix != nullptr ? text_of(space->prefix) + ":" : "") +
           text_of(name);
}

std::string name_of(const xmlNode* node) {
    return node->type == XML_ELEMENT_NODE ? name_of(node->ns, node->name) : "";
}

std::vector<xmlNode*> children(const xmlNode* node, const std::string& name) {
    std::vector<xmlNode*> found;
    for (xmlNode* child = node->children; child != nullptr; child = child->next)
        if (name_of(child) == name) found.push_back(child);
    return found;
}

xmlNode* child(const xmlNode* node, const std::string& name) {
    const auto all = children(node, name);
    return all.empty() ? nullptr : all.front();
}

std::string value_of(const xmlAttr* attribute) {
    const std::unique_ptr<xmlChar, decltype(xmlFree)> value(
        xmlNodeListGetString(attribute->doc, attribute->children, 1), xmlFree);
    return text_of(value.get());
}

std::optional<std::string> attribute(const xmlNode* node, const std::string& name) {
    for (const xmlAttr* each = node->properties; each != nullptr; each = each->next)
        if (name_of(each->ns, each->name) == name) return value_of(each);
    return std::nullopt;
}

bool in_other_namespace(const xmlNode* node) {
    for (const xmlNs* space = node->nsDef; space != nullptr; space = space->next)
        if (space->prefix == nullptr) return true;
    return false;
}

ImagePlace place_of(const xmlNode* image) {
    const xmlNode* const source = child(image, "source");
    ImagePlace place{attribute(image, "type").value_or(name_of(image) == "disk" ? "file" : ""),
                     attribute(source, "file").value_or(""),
                     attribute(source, "protocol").value_or(""),
                     attribute(source, "name").value_or(""),
                     {},
                     {}};
    for (const xmlNode* host : children(source, "host")) {
        std::string text = "<host";
        for (const xmlAttr* each = host->properties; each != nullptr; each = each->next)
            text += " " + name_of(each->ns, each->name) + "='" + value_of(each) + "'";
        place.hosts.push_back(text + "/>");
    }
    for (const char* name : {"query", "tls", "tlsHostname"})
        if (const auto value = attribute(source, name)) place.more.push_back(name + ("=" + *value));
    for (const char* name : {"snapshot", "config"})
        for (const xmlNode* one : children(source, name)) place.more.push_back(name_of(one));
    return place;
}

// How many names deep a path leads, or -1 where it leads out of where it begins on its way.
int depth_of(const std::string& path) {
    int depth = 0;
    for (std::size_t begin = 0; begin <= path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        const std::string part = path.substr(begin, end - begin);
        if (part == "..") {
            if (--depth < 0) return -1;
        } else if (!part.empty() && part != ".") {
            ++depth;
        }
        begin = end + 1;
    }
    return depth;
}

// Whether the host shows another file system at a path below a mount point.
bool is_hidden(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        const std::string part = path.substr(begin, end - begin);
        if (part == "..")
            parts.pop_back();
        else if (!part.empty() && part != ".")
            parts.push_back(part);
        begin = end + 1;
    }
    std::string plain;
    for (const auto& part : parts) plain += "/" + part;
    return (plain + "/").starts_with(kHidden + "/");
}

bool is_for_files_alone(const xmlNode* image) {
    const xmlNode* const source = child(image, "source");
    return attribute(source, "startupPolicy") || attribute(source, "fdgroup") ||
           child(image, "transient") != nullptr;
}

const HostVolume* volume_of(const ImagePlace& place) {
    if (place.type != "network" || place.protocol != "gluster") return nullptr;
    for (const auto& volume : kHostVolumes)
        if (place.name.starts_with(volume.name + "/")) return &volume;
    return nullptr;
}

// What names an image, for each node of it.
const std::set<std::string> kNamingAttributes = {"file",  "protocol", "name",
                                                 "query", "tls",      "tlsHostname"};
const std::set<std::string> kNamingChildren = {"host", "snapshot", "config"};

struct Dump {
    std::set<const xmlNode*> unnamed;  // images without what names them
    bool meaning = false;
    std::string text = {};

    void add(const xmlNode* node);
    void add_attributes(const xmlNode* node);
};

void Dump::add_attributes(const xmlNode* node) {
    for (const xmlNs* space = node->nsDef; space != nullptr; space = space->next)
        text += " xmlns:" + text_of(space->prefix) + "=" + text_of(space->href);
    std::vector<std::string> all;
    for (const xmlAttr* each = node->properties; each != nullptr; each = each->next) {
        const std::string name = name_of(each->ns, each->name);
        if (unnamed.contains(node) && name == "type") continue;
        if (unnamed.contains(node->parent) && kNamingAttributes.contains(name) &&
            name_of(node) == "source")
            continue;
        all.push_back(" " + name + "={" + value_of(each) + "}");
    }
    if (meaning) std::sort(all.begin(), all.end());
    for (const auto& one : all) text += one;
}

void Dump::add(const xmlNode* node) {
    const xmlNode* const parent = node->parent;
    const bool in_source = parent != nullptr && name_of(parent) == "source";
    const bool in_unnamed = in_source && unnamed.contains(parent->parent);
    if (in_unnamed && kNamingChildren.contains(name_of(node))) return;
    // Where hosts are taken out, the white space around them is or becomes one text with its
    // neighbours.
    if ((in_unnamed || (in_source && meaning)) && node->type == XML_TEXT_NODE) {
        for (const char c : text_of(node->content))
            if (c != ' ' && c != '\t' && c != '\n') text += c;
        return;
    }
    text += "(" + std::to_string(node->type) + " " + name_of(node);
    if (node->type == XML_ELEMENT_NODE) {
        add_attributes(node);
        for (const xmlNode* each = node->children; each != nullptr; each = each->next) add(each);
    } else {
        if (node->type == XML_PI_NODE) text += text_of(node->name) + " ";
        text += text_of(node->content);
    }
    text += ")";
}

std::string dump_of(const xmlDoc* document, Dump dump) {
    for (const xmlNode* each = document->children; each != nullptr; each = each->next)
        dump.add(each);
    return dump.text;
}

}  // namespace

std::optional<DomainImages> DomainImages::read(const std::string& text) {
    Document document(xmlReadMemory(text.data(), static_cast<int>(text.size()), "domain", nullptr,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
                      &xmlFreeDoc);
    if (!document) return std::nullopt;
    DomainImages domain(std::move(document));
    for (const xmlNode* devices : children(xmlDocGetRootElement(domain.document_.get()), "devices"))
        for (xmlNode* disk : children(devices, "disk"))
            for (xmlNode* image = disk; image != nullptr; image = child(image, "backingStore")) {
                xmlNode* const source = child(image, "source");
                if (children(image, "source").size() > 1 ||
                    children(image, "backingStore").size() > 1 || in_other_namespace(image) ||
                    (source != nullptr && in_other_namespace(source)))
                    domain.refused_ = true;
                if (source != nullptr) domain.images_.push_back(image);
            }
    return domain;
}

std::vector<ImagePlace> DomainImages::places() const {
    std::vector<ImagePlace> all;
    for (const xmlNode* image : images_) all.push_back(place_of(image));
    return all;
}

std::optional<DomainImages::Expected> DomainImages::as_files() const {
    if (refused_) return std::nullopt;
    Expected expected;
    for (const auto& place : places()) {
        const HostVolume* const volume = volume_of(place);
        if (volume == nullptr) {
            expected.emplace_back();
            continue;
        }
        const std::string directory = volume->directory.empty() ? "" : volume->directory + "/";
        const std::string path = place.name.substr(volume->name.size() + 1);
        if (!path.starts_with(directory)) return std::nullopt;
        const std::string below = path.substr(directory.size());
        const std::string file = volume->mount_point + "/" + below;
        if (depth_of(below) < 1 || is_hidden(file)) return std::nullopt;
        expected.push_back(ImagePlace{"file", file, "", "", {}, {}});
    }
    return expected;
}

std::optional<DomainImages::Expected> DomainImages::as_network() const {
    if (refused_) return std::nullopt;
    Expected expected;
    for (std::size_t i = 0; i < images_.size(); ++i) {
        const ImagePlace place = place_of(images_[i]);
        expected.emplace_back();
        if (place.type != "file" || is_for_files_alone(images_[i])) continue;
        for (const auto& volume : kHostVolumes) {
            if (!place.file.starts_with(volume.mount_point + "/")) continue;
            const std::string below = place.file.substr(volume.mount_point.size() + 1);
            if (depth_of(below) < 1 || is_hidden(place.file)) continue;
            const std::string directory = volume.directory.empty() ? "" : volume.directory + "/";
            expected.back() = ImagePlace{
                "network", "", "gluster", volume.name + "/" + directory + below, volume.hosts, {}};
        }
    }
    return expected;
}

bool DomainImages::comes_back() const {
    for (const xmlNode* image : images_) {
        const ImagePlace place = place_of(image);
        const HostVolume* const volume = volume_of(place);
        if (volume == nullptr) continue;
        if (place.hosts != volume->hosts || !place.more.empty() || !place.file.empty() ||
            is_for_files_alone(image))
            return false;
    }
    return true;
}

std::string DomainImages::dump(const Expected& without) const {
    Dump dump;
    for (std::size_t i = 0; i < images_.size(); ++i)
        if (without[i]) dump.unnamed.insert(images_[i]);
    return dump_of(document_.get(), std::move(dump));
}

std::string DomainImages::dump_meaning() const {
    Dump dump;
    dump.meaning = true;
    return dump_of(document_.get(), std::move(dump));
}

}  // namespace sfg::test
