// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Random documents, made from those that libvirt's own tests have, through the rewriting: what has
// to become of them is worked out anew, with libxml2 (tests/support/domains).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "hooks/rewrite/rewrite.hpp"
#include "tests/support/domains/domain_images.hpp"
#include "tests/support/domains/gluster_host.hpp"
#include "tests/support/domains/random_domain.hpp"

namespace sfg::hooks {
namespace {

namespace fs = std::filesystem;
using test::DomainImages;
using test::ImagePlace;

constexpr int kDocuments = 10'000;
constexpr unsigned kSeed = 20261;

std::vector<std::string> domains_of_libvirt() {
    std::vector<fs::path> paths;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(SFG_LIBVIRT_DOMAINS, none))
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> documents;
    for (const auto& path : paths) {
        std::ifstream file(path);
        std::ostringstream text;
        text << file.rdbuf();
        documents.push_back(std::move(text).str());
    }
    return documents;
}

const char* const kNoDomains =
    "there are no domain documents in " SFG_LIBVIRT_DOMAINS ": run packaging/fetch-libvirt-headers";

class RandomDocuments : public testing::Test {
  protected:
    Result<std::string> rewritten(const std::string& text, Access access) const {
        SFG_TRY_ASSIGN(auto domain, DomainXml::parse(text));
        SFG_TRY_ASSIGN(const auto outcome,
                       rewrite_images(domain, volumes_, [&](const auto&) { return access; }));
        std::string result = domain.text();
        EXPECT_TRUE(!outcome.rewritten.empty() || result == text);
        return result;
    }

    // `text` as it comes out, where the images went where they have to and all else is as it was;
    // nothing where it was refused, as it has to be.
    std::optional<std::string> checked(const std::string& text, Access access) const;

    // Both ways, and there and back.
    void check(const test::RandomDocument& document);

    const KnownVolumes volumes_ =
        *KnownVolumes::make({test::kHostConfiguration, test::kHostMountinfo});
    int changed_ = 0;
    int refused_ = 0;
    int came_back_ = 0;
};

std::optional<std::string> RandomDocuments::checked(const std::string& text, Access access) const {
    const auto before = DomainImages::read(text);
    if (!before) {
        ADD_FAILURE() << "the document that was made is not well-formed";
        return std::nullopt;
    }
    const auto expected = access == Access::file ? before->as_files() : before->as_network();
    const auto result = rewritten(text, access);
    EXPECT_EQ(result.has_value(), expected.has_value())
        << (result ? "it has to be refused" : result.error().message());
    if (!result || !expected) return std::nullopt;
    const auto after = DomainImages::read(*result);
    if (!after) {
        ADD_FAILURE() << "what came out is not well-formed: " << *result;
        return std::nullopt;
    }
    const auto old_places = before->places();
    const auto new_places = after->places();
    EXPECT_EQ(new_places.size(), expected->size());
    for (std::size_t i = 0; i < std::min(new_places.size(), expected->size()); ++i)
        EXPECT_TRUE(new_places[i] == (*expected)[i].value_or(old_places[i])) << "image " << i;
    EXPECT_EQ(after->dump(*expected), before->dump(*expected));
    if (std::none_of(expected->begin(), expected->end(), [](const auto& to) { return to; })) {
        EXPECT_EQ(*result, text);
    }
    return *result;
}

void RandomDocuments::check(const test::RandomDocument& document) {
    const auto network = checked(document.text, Access::network);
    if (network) {
        EXPECT_EQ(rewritten(*network, Access::network).value(), *network);
    }
    const auto file = checked(document.text, Access::file);
    if (!file) {
        ++refused_;
        return;
    }
    EXPECT_EQ(rewritten(*file, Access::file).value(), *file);
    const auto from_file = checked(*file, Access::network);
    ASSERT_TRUE(from_file && network);
    changed_ += *from_file != document.text || *file != document.text;
    // Once round, the way to files and back changes nothing any more.
    const auto again = checked(*from_file, Access::file);
    ASSERT_TRUE(again);
    EXPECT_EQ(rewritten(*again, Access::network).value(), *from_file);
    const auto before = DomainImages::read(document.text);
    if (!before->comes_back()) return;
    ++came_back_;
    EXPECT_EQ(DomainImages::read(*from_file)->dump_meaning(),
              DomainImages::read(*network)->dump_meaning());
    if (document.as_libvirt_writes) {
        EXPECT_EQ(*from_file, *network);
    }
}

TEST_F(RandomDocuments, AreRewrittenAsTheyHaveToBe) {
    const auto seeds = domains_of_libvirt();
    ASSERT_FALSE(seeds.empty()) << kNoDomains;
    std::cout << "random documents: " << kDocuments << " from " << seeds.size()
              << " of libvirt's, seed " << kSeed << "\n";
    test::RandomDomains random(kSeed);
    for (int i = 0; i < kDocuments && !HasFailure(); ++i) {
        const auto document = random.next(seeds[static_cast<std::size_t>(i) % seeds.size()]);
        SCOPED_TRACE("document " + std::to_string(i) + ":\n" + document.text);
        check(document);
    }
    std::cout << "random documents: " << changed_ << " changed, " << refused_ << " refused, "
              << came_back_ << " there and back\n";
    EXPECT_GT(changed_, kDocuments / 2);
    EXPECT_GT(came_back_, kDocuments / 4);
    EXPECT_LT(refused_, kDocuments / 3);
}

TEST_F(RandomDocuments, LibvirtsOwnComeOutByteForByte) {
    const auto seeds = domains_of_libvirt();
    ASSERT_FALSE(seeds.empty()) << kNoDomains;
    for (const auto& seed : seeds) {
        const auto domain = DomainXml::parse(seed);
        ASSERT_TRUE(domain) << domain.error().message() << "\n" << seed;
        EXPECT_EQ(domain->text(), seed);
    }
}

}  // namespace
}  // namespace sfg::hooks
