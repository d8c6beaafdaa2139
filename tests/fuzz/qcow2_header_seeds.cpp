// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes the seeds of the qcow2 header fuzzer: qcow2_header_seeds DIRECTORY
// Each is the start of an image and one byte that says how much of it is at hand at first.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/create.hpp"
#include "driver/qcow2/layout.hpp"
#include "tests/support/memory_store.hpp"

namespace {

using namespace sfg::qcow2;
using Bytes = std::vector<std::byte>;

Bytes header_of(const CreateOptions& options) {
    sfg::test::MemoryStore file;
    if (!create(file, options)) std::abort();
    Bytes bytes = file.bytes(0, std::min<std::uint64_t>(options.cluster_size, 2048));
    while (bytes.size() > 120 && bytes.back() == std::byte{0}) bytes.pop_back();
    bytes.resize((bytes.size() + 7) / 8 * 8);
    return bytes;
}

Bytes with_extension(std::uint32_t type, std::string_view data, std::uint64_t incompatible_bits,
                     std::uint64_t autoclear_bits, std::uint32_t crypt_method) {
    CreateOptions options;
    options.virtual_size = std::uint64_t{1} << 30;
    Bytes bytes = header_of(options);
    bytes.assign(bytes.begin(), bytes.begin() + kHeaderLengthV3Written);
    bytes.resize(bytes.size() + 8 + (data.size() + 7) / 8 * 8 + 8);
    sfg::store_be<std::uint64_t>(bytes, field::kIncompatibleFeatures, incompatible_bits);
    sfg::store_be<std::uint64_t>(bytes, field::kAutoclearFeatures, autoclear_bits);
    sfg::store_be<std::uint32_t>(bytes, field::kCryptMethod, crypt_method);
    sfg::store_be<std::uint32_t>(bytes, kHeaderLengthV3Written, type);
    sfg::store_be<std::uint32_t>(bytes, kHeaderLengthV3Written + 4,
                                 static_cast<std::uint32_t>(data.size()));
    const auto from = std::as_bytes(std::span(data.data(), data.size()));
    std::copy(from.begin(), from.end(), bytes.begin() + kHeaderLengthV3Written + 8);
    return bytes;
}

std::string words(std::initializer_list<std::uint64_t> values) {
    std::string out;
    for (std::uint64_t value : values)
        for (int shift = 56; shift >= 0; shift -= 8)
            out.push_back(static_cast<char>((value >> shift) & 0xff));
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: qcow2_header_seeds DIRECTORY\n";
        return 2;
    }
    const std::filesystem::path directory = argv[1];
    const auto save = [&directory](const std::string& name, Bytes bytes, unsigned char at_hand) {
        bytes.push_back(std::byte{at_hand});
        std::ofstream out(directory / name, std::ios::binary);
        for (std::byte byte : bytes) out.put(static_cast<char>(byte));
    };

    CreateOptions plain;
    plain.virtual_size = std::uint64_t{1} << 30;
    save("v3", header_of(plain), 255);
    save("v3-read-later", header_of(plain), 0);

    CreateOptions old = plain;
    old.version = 2;
    save("v2", header_of(old), 255);

    CreateOptions overlay = plain;
    overlay.backing_file = "../image_cache/base.v001";
    overlay.backing_format = "qcow2";
    save("v3-base", header_of(overlay), 255);
    save("v3-base-partly", header_of(overlay), 100);
    overlay.version = 2;
    save("v2-base", header_of(overlay), 255);
    overlay.cluster_size = 512;
    save("v2-base-512", header_of(overlay), 255);

    CreateOptions extended = plain;
    extended.extended_l2 = true;
    extended.lazy_refcounts = true;
    save("v3-extended-l2", header_of(extended), 255);

    std::string feature("\0\x09new feature", 13);
    feature.resize(kFeatureEntry);
    save("v3-unknown-feature",
         with_extension(extension::kFeatureNameTable, feature, 1u << 9, 0, kCryptNone), 255);
    save("v3-data-file",
         with_extension(extension::kDataFileName, "data.raw", incompatible::kExternalDataFile,
                        autoclear::kRawExternalData, kCryptNone),
         255);
    save("v3-bitmaps",
         with_extension(extension::kBitmaps, words({std::uint64_t{1} << 32, 64, 0x50000}), 0,
                        autoclear::kBitmaps, kCryptNone),
         255);
    save("v3-luks",
         with_extension(extension::kEncryptionHeader, words({0x40000, 0x1000}), 0, 0, kCryptLuks),
         255);
    save("other-file", Bytes(16, std::byte{0x7f}), 255);
    return 0;
}
