// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/domain_xml.hpp"

#include <glib.h>
#include <libxml/parser.h>
#include <strings.h>
#include <sys/utsname.h>

#include "driver/core/log.hpp"
#include "hooks/rewrite/xml_text.hpp"

namespace sfg::hooks {
namespace {

// Everything that is in the text; references to characters are resolved and line ends and
// attributes made as XML 1.0 (2.11, 3.3.3) has it.
constexpr unsigned kParse = pugi::parse_full | pugi::parse_ws_pcdata | pugi::parse_fragment;

// pugixml does not say everywhere that it got no memory, and leaves something out; glib ends the
// process.
[[maybe_unused]] const bool kGlibsMemory =
    (pugi::set_memory_management_functions(&g_malloc, &g_free), true);

Error not_a_domain(const std::string& why) {
    return Error(ErrorKind::invalid, "this is not a domain document of libvirt's: " + why);
}

class DepthCheck : public pugi::xml_tree_walker {
  public:
    bool for_each(pugi::xml_node&) override { return depth() < DomainXml::kDeepest; }
};

// pugixml takes more than is XML, and makes something else of it: characters that XML has not,
// attributes given twice. libxml2, which libvirt reads documents with, has the say.
Result<void> check_xml(std::string_view text) {
    if (text.size() > DomainXml::kLargest)
        return not_a_domain("it is over " + std::to_string(DomainXml::kLargest >> 20) + " MiB");
    const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
        xmlReadMemory(text.data(), static_cast<int>(text.size()), "domain", nullptr,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
        &xmlFreeDoc);
    if (!document) {
        const auto* const why = xmlGetLastError();
        std::string sentence = why != nullptr && why->message != nullptr ? why->message : "not XML";
        while (sentence.ends_with('\n')) sentence.pop_back();
        return not_a_domain("line " + std::to_string(why != nullptr ? why->line : 0) + ": " +
                            escaped(sentence));
    }
    if (document->intSubset != nullptr) return not_a_domain("it has a document type");
    const auto* const encoding = reinterpret_cast<const char*>(document->encoding);
    if (encoding != nullptr && strcasecmp(encoding, "UTF-8") != 0 &&
        strcasecmp(encoding, "US-ASCII") != 0)
        return not_a_domain("it is in " + escaped(encoding) + " and not in UTF-8");
    return {};
}

// What stands for something in a document but is not seen by name alone: libvirt looks for
// elements without a namespace, and takes the first.
Result<void> check_image(pugi::xml_node image, const std::string& disk) {
    auto refuse = [&](const std::string& why) {
        return Error(ErrorKind::invalid, "disk '" + escaped(disk) + "' " + why);
    };
    for (const char* name : {"source", "backingStore"})
        if (image.child(name).next_sibling(name))
            return refuse("has more than one <" + std::string(name) + ">");
    for (const auto node : {image, image.child("source")})
        if (node.attribute("xmlns")) return refuse("has elements of another namespace");
    return {};
}

// The namespace of an element, by the declarations on it and around it; "" where it has none.
std::string_view namespace_of(pugi::xml_node element) {
    const std::string_view name = element.name();
    const auto colon = name.find(':');
    const std::string declaration =
        colon == std::string_view::npos ? "xmlns" : "xmlns:" + std::string(name.substr(0, colon));
    for (auto node = element; node; node = node.parent())
        if (const auto found = node.attribute(declaration.c_str())) return found.value();
    return "";
}

std::string_view local_name(pugi::xml_node element) {
    const std::string_view name = element.name();
    return name.substr(name.find(':') + 1);  // npos + 1 is 0
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const auto begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return "";
    return std::string(text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin));
}

}  // namespace

Result<DomainXml> DomainXml::parse(std::string_view text) {
    SFG_TRY(check_xml(text));
    DomainXml domain;
    pugi::xml_document& document = *domain.document_;
    const auto outcome =
        document.load_buffer(text.data(), text.size(), kParse, pugi::encoding_utf8);
    if (!outcome)
        return not_a_domain(std::string(outcome.description()) + " at byte " +
                            std::to_string(outcome.offset));
    DepthCheck depth;
    if (!document.traverse(depth))
        return not_a_domain("its elements are nested more than " + std::to_string(kDeepest) +
                            " deep");
    const std::string root = document.document_element().name();
    if (root != "domain") return not_a_domain("its root is not <domain>");
    domain.original_ = text;
    SFG_TRY(domain.find_disks());
    return domain;
}

Result<void> DomainXml::find_disks() {
    for (const auto devices : document_->document_element().children("devices")) {
        for (const auto disk : devices.children("disk")) {
            // Of the element's name.
            const auto offset = static_cast<std::size_t>(disk.offset_debug());
            if (offset == 0 || offset >= original_.size() || original_[offset - 1] != '<')
                return Error(ErrorKind::unsupported,
                             "pugixml does not say where an element begins");
            disks_.push_back(
                {disk, offset - 1, element_end(original_, offset - 1), xml_text(disk)});
        }
    }
    return {};
}

std::string DomainXml::text() const {
    std::string out;
    std::size_t done = 0;
    for (const Disk& disk : disks_) {
        const std::string now = xml_text(disk.node);
        if (now == disk.as_read) continue;
        out.append(original_, done, disk.begin - done);
        out += now;
        done = disk.end;
    }
    return out.append(original_, done);
}

std::string DomainXml::name() const {
    return trimmed(document_->document_element().child_value("name"));
}

std::string DomainXml::emulator() const {
    const auto domain = document_->document_element();
    const std::string_view type = domain.attribute("type").value();
    if (type != "kvm" && type != "qemu") return "";
    for (const auto devices : domain.children("devices"))
        if (const auto emulator = devices.child("emulator")) return trimmed(emulator.child_value());
    std::string arch = domain.child("os").child("type").attribute("arch").value();
    utsname host;
    if (arch.empty() && uname(&host) == 0) arch = host.machine;
    return "/usr/bin/qemu-system-" + (arch == "i686" ? "i386" : arch);
}

Result<std::optional<Access>> DomainXml::own_access() const {
    for (const auto metadata : document_->document_element().children("metadata"))
        for (const auto element : metadata.children())
            if (element.type() == pugi::node_element && local_name(element) == "access" &&
                namespace_of(element) == kMetadataNamespace) {
                auto access = parse_access(trimmed(element.child_value()));
                if (!access) return access.error().with_context("<metadata>");
                return access;
            }
    return std::optional<Access>();
}

Result<void> DomainXml::for_each_image(
    const std::function<Result<void>(pugi::xml_node, const std::string&)>& work) {
    int count = 0;
    for (const Disk& disk : disks_) {
        const std::string target = disk.node.child("target").attribute("dev").value();
        for (pugi::xml_node image = disk.node; image; image = image.child("backingStore")) {
            SFG_TRY(check_image(image, target));
            if (!image.child("source")) continue;
            if (++count > kMostImages)
                return not_a_domain("it has more than " + std::to_string(kMostImages) + " images");
            SFG_TRY(work(image, target));
        }
    }
    return {};
}

}  // namespace sfg::hooks
