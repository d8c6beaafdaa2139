// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

struct _xmlDoc;

namespace sfg::test {

// An XML document to ask by XPath. One that cannot be parsed has nothing in it.
class XmlText {
  public:
    explicit XmlText(const std::string& text);

    // The string value of the first node, empty where there is none.
    std::string at(const std::string& xpath) const;
    // Those of all.
    std::vector<std::string> all(const std::string& xpath) const;
    bool has(const std::string& xpath) const { return !all(xpath).empty(); }
    // As a number; 0 where there is none.
    unsigned long long number(const std::string& xpath) const;

  private:
    std::shared_ptr<_xmlDoc> document_;
};

// `text` as character data or an attribute's value.
std::string xml_escaped(const std::string& text);

}  // namespace sfg::test
