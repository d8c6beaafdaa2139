// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/xml_text.hpp"

#include <libxml/parser.h>
#include <libxml/xpath.h>

#include <cstdlib>

namespace sfg::test {
namespace {

const xmlChar* xml(const std::string& text) {
    return reinterpret_cast<const xmlChar*>(text.c_str());
}

}  // namespace

XmlText::XmlText(const std::string& text)
    : document_(xmlReadMemory(text.data(), static_cast<int>(text.size()), "text.xml", nullptr,
                              XML_PARSE_NONET | XML_PARSE_NOERROR),
                [](xmlDoc* document) { xmlFreeDoc(document); }) {}

std::vector<std::string> XmlText::all(const std::string& xpath) const {
    std::vector<std::string> found;
    if (!document_) return found;
    const std::unique_ptr<xmlXPathContext, decltype(&xmlXPathFreeContext)> context(
        xmlXPathNewContext(document_.get()), &xmlXPathFreeContext);
    const std::unique_ptr<xmlXPathObject, decltype(&xmlXPathFreeObject)> result(
        xmlXPathEvalExpression(xml(xpath), context.get()), &xmlXPathFreeObject);
    if (!result || result->nodesetval == nullptr) return found;
    for (int i = 0; i < result->nodesetval->nodeNr; ++i) {
        const std::unique_ptr<xmlChar, decltype(xmlFree)> value(
            xmlNodeGetContent(result->nodesetval->nodeTab[i]), xmlFree);
        found.emplace_back(value ? reinterpret_cast<const char*>(value.get()) : "");
    }
    return found;
}

std::string XmlText::at(const std::string& xpath) const {
    const auto found = all(xpath);
    return found.empty() ? "" : found.front();
}

unsigned long long XmlText::number(const std::string& xpath) const {
    return std::strtoull(at(xpath).c_str(), nullptr, 10);
}

std::string xml_escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '\'':
                out += "&apos;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace sfg::test
