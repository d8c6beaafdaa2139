// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include "hooks/templates/fill.hpp"

namespace sfg::hooks {
namespace {

std::string filled(std::string_view text, const Values& values) {
    const auto result = fill(text, values);
    EXPECT_TRUE(result) << result.error().message();
    return result ? *result : "";
}

ErrorKind kind_of(std::string_view text, const Values& values) {
    const auto result = fill(text, values);
    EXPECT_FALSE(result) << *result;
    return result ? ErrorKind::io : result.error().kind();
}

TEST(TemplatesFill, TextWithoutPlaceholdersStays) {
    EXPECT_EQ(filled("", {}), "");
    EXPECT_EQ(filled("<a b='c'/>\n\n no line break", {}), "<a b='c'/>\n\n no line break");
}

TEST(TemplatesFill, AValueStandsWhereItsNameStood) {
    EXPECT_EQ(filled("<a b='@B@'>@C_1@</a>\n", {{{"B", {"x"}}, {"C_1", {"y"}}}, {}}),
              "<a b='x'>y</a>\n");
}

TEST(TemplatesFill, XmlsCharactersAreEscaped) {
    EXPECT_EQ(filled("<a b='@B@'/>", {{{"B", {"a&b<c>'\""}}}, {}}),
              "<a b='a&amp;b&lt;c&gt;&apos;&quot;'/>");
}

TEST(TemplatesFill, AValueIsNotFilledAgain) {
    EXPECT_EQ(filled("@A@ @B@", {{{"A", {"@B@"}}, {"B", {"b"}}}, {}}), "@B@ b");
}

TEST(TemplatesFill, WhatIsNoNameIsNoPlaceholder) {
    EXPECT_EQ(filled("a@b @@ @a@A@ @ @A@ @", {{{"A", {"x"}}}, {}}), "a@b @@ @ax @ x @");
}

TEST(TemplatesFill, ALineIsRepeatedForEachValue) {
    EXPECT_EQ(
        filled("<s>\n  <host name='@HOST@' port='@PORT@' of='@V@'/>\n</s>\n",
               {{{"HOST", {"a", "b"}}, {"PORT", {"1", "2"}}, {"V", {"v"}}}, {}}),
        "<s>\n  <host name='a' port='1' of='v'/>\n  <host name='b' port='2' of='v'/>\n</s>\n");
    // A single value before the several.
    EXPECT_EQ(filled("@V@ @HOST@\n", {{{"HOST", {"a", "b"}}, {"V", {"v"}}}, {}}), "v a\nv b\n");
}

TEST(TemplatesFill, ALineWithoutAValueIsLeftOut) {
    EXPECT_EQ(filled("a\n<u>@U@</u>\nb\n", {{{"U", {}}}, {}}), "a\nb\n");
    EXPECT_EQ(filled("a\n<u w='@W@'>@U@</u>\nb\n", {{{"U", {}}, {"W", {}}}, {}}), "a\nb\n");
    // An empty one is a value.
    EXPECT_EQ(filled("<u>@U@</u>\n", {{{"U", {""}}}, {}}), "<u></u>\n");
}

TEST(TemplatesFill, NumbersOfValuesMustFit) {
    const Values values{
        {{"NONE", {}}, {"ONE", {"1"}}, {"TWO", {"1", "2"}}, {"THREE", {"1", "2", "3"}}}, {}};
    for (const char* line :
         {"@NONE@ @ONE@", "@ONE@ @NONE@", "@NONE@ @TWO@", "@TWO@ @NONE@", "@TWO@ @THREE@"})
        EXPECT_EQ(kind_of(line, values), ErrorKind::corrupt) << line;
}

TEST(TemplatesFill, AnUnknownPlaceholderIsAnError) {
    const auto result = fill("<a>@SOMETHING@</a>", {{{"OTHER", {"x"}}}, {}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "nothing is known of @SOMETHING@");
    EXPECT_EQ(result.error().kind(), ErrorKind::corrupt);
}

TEST(TemplatesFill, DocumentsAreIndentedAndNotEscaped) {
    EXPECT_EQ(
        filled("<d>\n    @DISKS@\n</d>\n", {{}, {{"DISKS", {"<a>\n  <b/>\n\n</a>\n", "<c/>"}}}}),
        "<d>\n    <a>\n      <b/>\n\n    </a>\n    <c/>\n</d>\n");
    EXPECT_EQ(filled("<d>\n  @DISKS@\n</d>\n", {{}, {{"DISKS", {}}}}), "<d>\n</d>\n");
    // What stands in a document is no template any more.
    EXPECT_EQ(filled("@DISKS@\n", {{}, {{"DISKS", {"@X@"}}}}), "@X@\n");
}

TEST(TemplatesFill, ADocumentNeedsALineOfItsOwn) {
    const Values values{{{"A", {"a"}}}, {{"D", {"<d/>"}}}};
    for (const char* line : {"x @D@\n", "@D@ x\n", "@A@@D@\n", "@D@ @A@\n"})
        EXPECT_EQ(kind_of(line, values), ErrorKind::corrupt) << line;
}

TEST(TemplatesFill, WhatXmlHasNotIsNoValue) {
    using namespace std::string_literals;
    for (const auto& value : {"a\nb"s, "a\tb"s, "a\0b"s, "\x7F"s, "\xC3"s, "\xEF\xBF\xBF"s}) {
        EXPECT_FALSE(is_value(value));
        EXPECT_EQ(kind_of("@A@", {{{"A", {value}}}, {}}), ErrorKind::invalid);
    }
    EXPECT_TRUE(
        is_value("Gr\xC3\xB6\xC3\x9F"
                 "e 1"));
}

}  // namespace
}  // namespace sfg::hooks
