// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <initializer_list>
#include <random>
#include <string>

namespace sfg::test {

struct RandomDocument {
    std::string text;
    bool as_libvirt_writes;  // in the spelling of libvirt, images in its order
};

// Makes domain documents from others by random changes: most disks become others, with chains of
// <backingStore>, some are added, and every third document is spelled in another way than
// libvirt's. Nothing here parses: what is made is text.
class RandomDomains {
  public:
    explicit RandomDomains(std::mt19937::result_type seed) : random_(seed) {}

    // `seed` is a document as libvirt's tests have them.
    RandomDocument next(const std::string& seed);

  private:
    // 0 to count - 1, the same everywhere (standard distributions are not).
    unsigned below(unsigned count) { return static_cast<unsigned>(random_() % count); }
    bool one_in(unsigned count) { return below(count) == 0; }
    template <typename Container>
    const auto& one_of(const Container& all) {
        return *(std::begin(all) + below(static_cast<unsigned>(std::size(all))));
    }

    std::string one_of(std::initializer_list<const char*> all) {
        return *(all.begin() + below(static_cast<unsigned>(all.size())));
    }

    std::string disk();
    std::string image(const std::string& tag, const std::string& indent, int chain);
    std::string source(const std::string& indent, std::string& type);
    std::string source_children(const std::string& indent, bool of_network);
    std::string noise(const std::string& indent);
    std::string name();

    std::string spelled_otherwise(const std::string& text);
    std::string tag_otherwise(const std::string& tag);
    std::string letters_otherwise(const std::string& text);

    std::mt19937 random_;
    bool as_libvirt_writes_ = true;
};

}  // namespace sfg::test
