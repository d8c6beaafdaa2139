// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes the seeds of the resize fuzzer: qcow2_resize_seeds DIRECTORY
// Each is an image and eight bytes that say what to do with it.
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "tests/support/qcow2_builder.hpp"

namespace {

using sfg::test::Qcow2Recipe;

Qcow2Recipe disk(std::uint64_t clusters, std::uint32_t version, std::uint32_t order) {
    Qcow2Recipe recipe;
    recipe.version = version;
    recipe.refcount_order = order;
    recipe.virtual_size = recipe.used_size = clusters * 512;
    return recipe;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: qcow2_resize_seeds DIRECTORY\n";
        return 2;
    }
    const std::filesystem::path directory = argv[1];
    const auto save = [&directory](const std::string& name, const Qcow2Recipe& recipe,
                                   std::uint8_t what, std::uint32_t sectors) {
        std::mt19937_64 random(1);
        sfg::test::MemoryStore file = build_qcow2(recipe, random);
        auto bytes = file.bytes(0, static_cast<std::size_t>(*file.size()));
        const std::size_t at = bytes.size();
        bytes.resize(at + 8);
        bytes[at] = std::byte{what};
        sfg::store_be<std::uint32_t>(bytes, at + 3, sectors);
        std::ofstream out(directory / name, std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
    };

    save("v2-grow", disk(10, 2, 4), 0, 20);
    save("v3-grow-far", disk(10, 3, 4), 0, 100000);
    save("v3-order-0-preallocate", disk(12, 3, 0), 6, 0);
    save("v3-order-6-falloc", disk(4, 3, 6), 10, 0);
    Qcow2Recipe snapshot = disk(8, 3, 1);
    snapshot.snapshot = true;
    save("v3-snapshot-grow", snapshot, 0, 8000);
    save("v3-snapshot-full", snapshot, 14, 0);
    Qcow2Recipe empty = disk(100, 3, 4);
    empty.used_size = 5 * 512;
    empty.l1_slack = empty.empty_l2_behind = 2;
    save("v3-shrink", empty, 1, 5);
    Qcow2Recipe zeros = disk(70, 3, 3);
    zeros.data_percent = 0;
    zeros.zero_percent = 80;
    save("v3-shrink-zeros", zeros, 1, 3);
    Qcow2Recipe overlay = disk(6, 3, 4);
    overlay.base = "base";
    save("v3-base", overlay, 15, 0);
    save("v3-base-lazy", overlay, 96 + 3, 0);
    save("nothing", disk(0, 3, 4), 0, 1000);
    return 0;
}
