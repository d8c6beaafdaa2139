// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/domain_xml.hpp"

#include <gtest/gtest.h>

namespace sfg::hooks {
namespace {

std::string refusal(const std::string& text) {
    const auto domain = DomainXml::parse(text);
    return domain ? "" : domain.error().message();
}

std::string nested(int depth) {
    std::string text = "<domain>";
    for (int i = 1; i < depth; ++i) text += "<a>";
    for (int i = 1; i < depth; ++i) text += "</a>";
    return text + "</domain>";
}

TEST(DomainXml, ComesOutAsItCameIn) {
    for (const char* text :
         {"<domain type='kvm'><name>a</name></domain>",
          "<?xml version='1.0' encoding='UTF-8'?><domain/>", "<!-- WARNING -->\n\n<domain/>\n",
          "<domain>\n  <description> a\n b </description>\n\t<x:y xmlns:x='u' z=''/>\n</domain>\n",
          "<domain><![CDATA[<&>]]><?pi data?></domain>", "<domain a='&lt;&amp;&apos;&#10;\"'/>",
          "<domain>\xc3\xa4 &amp;amp;</domain>", "<domain>it's &quot;a&quot; &gt; '</domain>",
          "\xef\xbb\xbf<domain\n a = \"'\" b='>'></domain >\r\n",
          "<domain>&#13;&#x41;\r\n<![CDATA[>]]></domain>",
          "<domain><devices><disk \ttype=\"file\" ></disk></devices></domain>"}) {
        const auto domain = DomainXml::parse(text);
        ASSERT_TRUE(domain) << text << ": " << domain.error().message();
        EXPECT_EQ(domain->text(), text);
    }
}

// Also between tags that do not end where they seem to.
TEST(DomainXml, WritesOnlyChangedDisksAnew) {
    const std::string before =
        "\xef\xbb\xbf<domain a=\"b\"><!-- <disk> --><?p <disk?><devices>"
        "<disk t=\"/>\"><a b=\"&lt;/disk>\" /></disk>\r\n";
    const std::string after = "<disk><disk/></disk><x></x></devices><devices/></domain>\r\n";
    auto domain = DomainXml::parse(
        before +
        "<disk i=\"1\" "
        "v='&gt;&quot;&#x27;&#13;&#9;&#10;&amp;&lt;'><!--></disk>--><![CDATA[</disk>]]>"
        "<?p </disk>?><?q?>&#13;\r\n&#62; ]]&gt;<source></source><disk a='>'/></disk>" +
        after);
    ASSERT_TRUE(domain) << domain.error().message();
    ASSERT_TRUE(domain->for_each_image([](pugi::xml_node image, const std::string&) {
        image.attribute("i").set_value("2");
        return Result<void>();
    }));
    EXPECT_EQ(domain->text(),
              before +
                  "<disk i='2' v='&gt;&quot;&apos;&#13;&#9;&#10;&amp;&lt;'><!--></disk>-->"
                  "<![CDATA[</disk>]]><?p </disk>?><?q?>&#13;\n&gt; ]]&gt;<source/><disk a='&gt;'/>"
                  "</disk>" +
                  after);
}

TEST(DomainXml, RefusesWhatIsNone) {
    for (const char* text :
         {"", " ", "x", "<domain", "<domain>", "<domain></a>", "<volume/>",
          "<domain><a b=></a></domain>", "<domain/><domain/>", "junk<domain/>", "<domain/>trail",
          "<domain a='1' a='2'/>", "<domain>&foo;</domain>", "<domain a='&#0;'/>",
          "<domain>&#4294967356;</domain>", "<?xml version='1.0' encoding='ISO-8859-1'?><domain/>"})
        EXPECT_NE(refusal(text).find("not a domain document"), std::string::npos) << text;
}

TEST(DomainXml, RefusesDocumentTypesAndSoEntities) {
    EXPECT_NE(refusal("<!DOCTYPE domain [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"
                      "<domain>&b;</domain>")
                  .find("document type"),
              std::string::npos);
}

TEST(DomainXml, RefusesWhatIsTooDeepOrTooLong) {
    EXPECT_EQ(refusal(nested(DomainXml::kDeepest)), "");
    EXPECT_NE(refusal(nested(DomainXml::kDeepest + 1)).find("deep"), std::string::npos);
    EXPECT_NE(refusal(nested(2'000'000)).find("depth"), std::string::npos);
    EXPECT_NE(refusal(std::string(DomainXml::kLargest + 1, ' ')).find("MiB"), std::string::npos);
}

}  // namespace
}  // namespace sfg::hooks
