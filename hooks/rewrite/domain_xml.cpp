// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/domain_xml.hpp"

#include <sstream>

namespace sfg::hooks {
namespace {

// Everything that is in the text; references to characters are resolved and line ends and
// attributes made as XML 1.0 (2.11, 3.3.3) has it.
constexpr unsigned kParse = pugi::parse_full | pugi::parse_ws_pcdata;
constexpr unsigned kWrite =
    pugi::format_raw | pugi::format_attribute_single_quote | pugi::format_no_declaration;

Error not_a_domain(const std::string& why) {
    return Error(ErrorKind::invalid, "this is not a domain document of libvirt's: " + why);
}

class DepthCheck : public pugi::xml_tree_walker {
  public:
    bool for_each(pugi::xml_node&) override { return depth() < DomainXml::kDeepest; }
};

}  // namespace

Result<DomainXml> DomainXml::parse(std::string_view text) {
    if (text.size() > kLargest)
        return not_a_domain("it is over " + std::to_string(kLargest >> 20) + " MiB");
    DomainXml domain;
    pugi::xml_document& document = *domain.document_;
    const auto outcome =
        document.load_buffer(text.data(), text.size(), kParse, pugi::encoding_utf8);
    if (!outcome)
        return not_a_domain(std::string(outcome.description()) + " at byte " +
                            std::to_string(outcome.offset));
    for (const auto child : document.children())
        if (child.type() == pugi::node_doctype) return not_a_domain("it has a document type");
    DepthCheck depth;
    if (!document.traverse(depth))
        return not_a_domain("its elements are nested more than " + std::to_string(kDeepest) +
                            " deep");
    const std::string root = document.document_element().name();
    if (root != "domain") return not_a_domain("its root is not <domain>");
    domain.ends_line_ = text.ends_with('\n');
    return domain;
}

std::string DomainXml::text() const {
    std::ostringstream out;
    document_->save(out, "", kWrite, pugi::encoding_utf8);
    if (ends_line_) out << '\n';
    return std::move(out).str();
}

Result<void> DomainXml::for_each_image(
    const std::function<Result<void>(pugi::xml_node, const std::string&)>& work) {
    for (const auto disk : document_->document_element().child("devices").children("disk")) {
        const std::string target = disk.child("target").attribute("dev").value();
        for (pugi::xml_node image = disk; image; image = image.child("backingStore"))
            if (image.child("source")) SFG_TRY(work(image, target));
    }
    return {};
}

}  // namespace sfg::hooks
