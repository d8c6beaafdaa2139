// SPDX-License-Identifier: LGPL-2.1-or-later
// libFuzzer target: whatever a document is, rewriting it either refuses it with a sentence, or
// changes nothing but what names its images. Doing so again changes nothing, and there is one way
// there and back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "hooks/rewrite/rewrite.hpp"
#include "tests/support/domains/domain_images.hpp"
#include "tests/support/domains/gluster_host.hpp"

namespace {

using namespace sfg::hooks;
using sfg::test::DomainImages;

void require(bool condition) {
    if (!condition) std::abort();
}

void require_sentence(const sfg::Error& error) {
    require(!error.message().empty() && error.message().size() < 10'000);
}

const KnownVolumes& volumes() {
    static const KnownVolumes known =
        *KnownVolumes::make({sfg::test::kHostConfiguration, sfg::test::kHostMountinfo});
    return known;
}

// All that no rewriting may change.
std::string kept_of(const std::string& text) {
    const auto domain = DomainImages::read(text);
    require(domain.has_value());
    return domain->dump(DomainImages::Expected(domain->places().size(), sfg::test::ImagePlace()));
}

std::optional<std::string> rewritten_once(const std::string& text, Access access) {
    auto domain = DomainXml::parse(text);
    require(domain.has_value());
    require(domain->text() == text);
    const auto outcome = rewrite_images(*domain, volumes(), [&](const auto&) { return access; });
    if (!outcome) {
        require_sentence(outcome.error());
        return std::nullopt;
    }
    std::string result = domain->text();
    require((result == text) == outcome->rewritten.empty());
    require(kept_of(result) == kept_of(text));
    return result;
}

std::optional<std::string> rewritten(const std::string& text, Access access) {
    const auto result = rewritten_once(text, access);
    if (result) require(rewritten_once(*result, access) == result);
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (const auto domain = DomainXml::parse(text); !domain) {
        require_sentence(domain.error());
        return 0;
    }
    const auto network = rewritten(text, Access::network);
    if (!network) return 0;
    const auto file = rewritten(*network, Access::file);
    if (!file) return 0;
    // Images that files alone can be stay files, so that the first way back may differ.
    const auto back = rewritten(*file, Access::network);
    require(back.has_value());
    require(rewritten(*back, Access::file) == file);
    return 0;
}
