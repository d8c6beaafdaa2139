// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/domain_xml.hpp"

#include <libxml/parser.h>
#include <strings.h>

#include <sstream>

#include "driver/core/log.hpp"

namespace sfg::hooks {
namespace {

// Everything that is in the text; references to characters are resolved and line ends and
// attributes made as XML 1.0 (2.11, 3.3.3) has it.
constexpr unsigned kParse = pugi::parse_full | pugi::parse_ws_pcdata | pugi::parse_fragment;
constexpr unsigned kWrite =
    pugi::format_raw | pugi::format_attribute_single_quote | pugi::format_no_declaration;

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
    return domain;
}

std::string DomainXml::text() const {
    std::ostringstream out;
    document_->save(out, "", kWrite, pugi::encoding_utf8);
    if (!out) throw std::bad_alloc();
    return std::move(out).str();
}

Result<void> DomainXml::for_each_image(
    const std::function<Result<void>(pugi::xml_node, const std::string&)>& work) {
    int count = 0;
    for (const auto devices : document_->document_element().children("devices")) {
        for (const auto disk : devices.children("disk")) {
            const std::string target = disk.child("target").attribute("dev").value();
            for (pugi::xml_node image = disk; image; image = image.child("backingStore")) {
                SFG_TRY(check_image(image, target));
                if (!image.child("source")) continue;
                if (++count > kMostImages)
                    return not_a_domain("it has more than " + std::to_string(kMostImages) +
                                        " images");
                SFG_TRY(work(image, target));
            }
        }
    }
    return {};
}

}  // namespace sfg::hooks
