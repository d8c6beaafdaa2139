// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The images that are made, as qemu sees them: over FUSE and over gfapi.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "tests/support/image_checks.hpp"
#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

class Qcow2Test : public PoolTest {
  protected:
    // Over gfapi, without the ten seconds that each image costs at the end.
    static Ran over_gfapi(const std::string& command) {
        return shell("LD_PRELOAD=" + lab().quick_close() + " " + command +
                     " 2>&1 | grep -v ' [EWI] \\['");
    }

    // qemu finds nothing wrong with it, opens it both ways, and sees the same both times.
    std::string check(const std::string& name, bool gfapi = true) {
        EXPECT_TRUE(exists(name)) << name;
        const Ran checked = shell("qemu-img check -f qcow2 " + quoted(fuse(name)));
        EXPECT_TRUE(checked.ok()) << name << ": " << checked.output;
        const Ran info = shell("qemu-img info --backing-chain --output=json " + quoted(fuse(name)));
        EXPECT_TRUE(info.ok()) << name << ": " << info.output;
        if (gfapi) {
            const Ran second = over_gfapi("qemu-img check -f qcow2 " + quoted(uri(name)));
            EXPECT_NE(second.output.find("No errors were found"), std::string::npos)
                << name << ": " << second.output;
            const Ran other =
                over_gfapi("qemu-img info --backing-chain --output=json " + quoted(uri(name)));
            for (const char* key : {"virtual-size", "cluster-size", "compat", "lazy-refcounts",
                                    "extended-l2", "backing-filename", "backing-filename-format"})
                EXPECT_EQ(field_of_info(other.output, key), field_of_info(info.output, key))
                    << name << " " << key;
        }
        return info.output;
    }

    std::uint64_t length(const std::string& name) const { return fs::file_size(fuse(name)); }
    std::uint64_t on_disk(const std::string& name) const {
        struct stat status {};
        EXPECT_EQ(stat(fuse(name).c_str(), &status), 0);
        return static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
};

struct Choice {
    std::string compat;
    std::uint64_t cluster_size;  // 0: not given
    bool lazy_refcounts;
    bool extended_l2;
    bool base;
};

// All that go together, so that none is forgotten.
std::vector<Choice> choices() {
    std::vector<Choice> all;
    for (const char* compat : {"", "0.10", "1.1"})
        for (const std::uint64_t cluster_size : {0ul, 512ul, 4096ul, 16384ul, 65536ul, 2097152ul})
            for (const bool lazy : {false, true})
                for (const bool extended : {false, true})
                    for (const bool base : {false, true}) {
                        if ((lazy || extended) && std::string(compat) == "0.10") continue;
                        if (extended && cluster_size != 0 && cluster_size < 16384) continue;
                        all.push_back({compat, cluster_size, lazy, extended, base});
                    }
    return all;
}

}  // namespace

TEST_F(Qcow2Test, EveryCombinationIsWhatWasAskedFor) {
    ASSERT_TRUE(done(pool().create(qcow2("base", 96 * kMiB))));
    const auto all = choices();
    struct Made {
        Choice choice;
        std::string name;
    };
    std::vector<Made> made;
    for (const auto& choice : all) {
        VolumeSpec spec = choice.base ? overlay("", "base") : qcow2("", 80 * kMiB + 512);
        spec.name = "d/q" + std::to_string(made.size());
        spec.compat = choice.compat;
        if (choice.cluster_size != 0) spec.cluster_size = choice.cluster_size;
        if (choice.lazy_refcounts) spec.features.push_back("lazy_refcounts");
        if (choice.extended_l2) spec.features.push_back("extended_l2");
        auto volume = pool().create(spec);
        ASSERT_TRUE(done(volume)) << spec.xml();
        made.push_back({choice, spec.name});

        // What libvirt shows, at once and after reading it anew.
        for (const bool refreshed : {false, true}) {
            if (refreshed && made.size() % 10 != 0) continue;
            if (refreshed) {
                ASSERT_TRUE(done(pool().refresh()));
                volume = pool().volume(spec.name);
            }
            const XmlText xml(*volume->xml());
            EXPECT_EQ(xml.at("//target/format/@type"), "qcow2");
            EXPECT_EQ(xml.at("//target/compat"), choice.compat == "0.10" ? "" : "1.1");
            EXPECT_EQ(xml.number("//target/clusterSize"),
                      choice.cluster_size == 0 ? 65536 : choice.cluster_size);
            EXPECT_EQ(xml.has("//features/lazy_refcounts"), choice.lazy_refcounts);
            EXPECT_EQ(xml.has("//features/extended_l2"), choice.extended_l2);
            EXPECT_EQ(xml.number("/volume/capacity"), choice.base ? 96 * kMiB : 80 * kMiB + 1024);
            EXPECT_EQ(xml.has("/volume/backingStore"), choice.base);
        }
    }
    // qemu: over gfapi each tenth, as it takes a third of a second each time.
    for (std::size_t i = 0; i < made.size(); ++i) {
        const auto& [choice, name] = made[i];
        SCOPED_TRACE(name + ": compat " + choice.compat + ", clusters of " +
                     std::to_string(choice.cluster_size) + (choice.lazy_refcounts ? ", lazy" : "") +
                     (choice.extended_l2 ? ", extended" : "") + (choice.base ? ", base" : ""));
        const std::string info = check(name, i % 10 == 0);
        const std::uint64_t cluster_size = choice.cluster_size == 0 ? 65536 : choice.cluster_size;
        EXPECT_EQ(field_of_info(info, "virtual-size"),
                  std::to_string(choice.base ? 96 * kMiB : 80 * kMiB + 1024));
        EXPECT_EQ(field_of_info(info, "cluster-size"), std::to_string(cluster_size));
        EXPECT_EQ(field_of_info(info, "compat"), choice.compat == "0.10" ? "0.10" : "1.1");
        EXPECT_EQ(field_of_info(info, "backing-filename"), choice.base ? "../base" : "");
        EXPECT_EQ(field_of_info(info, "backing-filename-format"), choice.base ? "qcow2" : "");
        if (choice.compat != "0.10") {
            EXPECT_EQ(field_of_info(info, "lazy-refcounts"),
                      choice.lazy_refcounts ? "true" : "false");
            EXPECT_EQ(field_of_info(info, "extended-l2"), choice.extended_l2 ? "true" : "false");
        }
        EXPECT_EQ(length(name) % cluster_size, 0u);
    }
}

TEST_F(Qcow2Test, SizesOfAllKindsOpenBothWays) {
    std::vector<std::thread> checks;
    int i = 0;
    for (const std::uint64_t capacity : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{512},
                                         100 * kKiB, 5 * kMiB + 512, 20 * kGiB, 2048 * kGiB}) {
        const std::string name = "s" + std::to_string(i++);
        auto made = pool().create(qcow2(name, capacity));
        ASSERT_TRUE(done(made)) << capacity;
        const std::uint64_t rounded = (capacity + 1023) / 1024 * 1024;
        EXPECT_EQ(made->info()->capacity, rounded);
        EXPECT_EQ(field_of_info(check(name), "virtual-size"), std::to_string(rounded));
        EXPECT_EQ(length(name) % 65536, 0u);
    }
}

TEST_F(Qcow2Test, AFeaturelessDocumentIsVersionThree) {
    VolumeSpec spec = qcow2("a");
    spec.has_features = true;
    ASSERT_TRUE(done(pool().create(spec)));
    EXPECT_EQ(field_of_info(check("a", false), "compat"), "1.1");
}

TEST_F(Qcow2Test, PreallocatedMetadataIsThere) {
    VolumeSpec spec = qcow2("a", 64 * kMiB);
    spec.allocation.reset();
    spec.allocation = 0;
    ASSERT_TRUE(done(pool().create(spec, VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)));
    check("a");
    EXPECT_GT(length("a"), 64 * kMiB);
    EXPECT_LT(on_disk("a"), 8 * kMiB);
    const Ran map = shell("qemu-img map --output=json " + quoted(fuse("a")));
    EXPECT_NE(map.output.find("\"start\": 0"), std::string::npos) << map.output;
    EXPECT_EQ(map.output.find("\"present\": false"), std::string::npos) << map.output;
}

TEST_F(Qcow2Test, PreallocationWithFullAllocationReservesTheData) {
    VolumeSpec spec = qcow2("a", 64 * kMiB);
    spec.allocation = 64 * kMiB;
    ASSERT_TRUE(done(pool().create(spec, VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)));
    check("a");
    EXPECT_GE(on_disk("a"), 64 * kMiB);
    EXPECT_GE(pool().volume("a")->info()->allocation, 64 * kMiB);
}

TEST_F(Qcow2Test, WithoutPreallocationAllocationIsNothing) {
    VolumeSpec spec = qcow2("a", 64 * kMiB);
    spec.allocation = 64 * kMiB;
    ASSERT_TRUE(done(pool().create(spec)));
    EXPECT_LT(on_disk("a"), kMiB);
    check("a", false);
}

TEST_F(Qcow2Test, PreallocationAndABaseDoNotGoTogether) {
    ASSERT_TRUE(done(pool().create(qcow2("base"))));
    EXPECT_TRUE(
        refused(pool().create(overlay("a", "base"), VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA),
                VIR_ERR_CONFIG_UNSUPPORTED, "preallocation"));
    EXPECT_FALSE(exists("a"));
}

TEST_F(Qcow2Test, WhatAGuestWritesIsReadBackBothWays) {
    const std::string base_text(4096, 'b');
    ASSERT_TRUE(done(pool().create(qcow2("base", 10 * kMiB))));
    ASSERT_TRUE(shell("qemu-io -f qcow2 -c 'write -P 0x61 0 1M' " + quoted(fuse("base"))).ok());
    ASSERT_TRUE(done(pool().create(overlay("deep/er/top", "base"))));
    const Ran wrote =
        over_gfapi("qemu-io -f qcow2 -c 'write -P 0x62 5M 64k' " + quoted(uri("deep/er/top")));
    EXPECT_NE(wrote.output.find("wrote 65536"), std::string::npos) << wrote.output;
    const std::string reads =
        "qemu-io -f qcow2 -c 'read -P 0x61 0 1M' -c 'read -P 0x62 5M 64k' "
        "-c 'read -P 0 6M 1M' ";
    const Ran fuse_read = shell(reads + quoted(fuse("deep/er/top")));
    EXPECT_TRUE(fuse_read.ok()) << fuse_read.output;
    EXPECT_EQ(fuse_read.output.find("failed"), std::string::npos) << fuse_read.output;
    const Ran gfapi_read = over_gfapi(reads + quoted(uri("deep/er/top")));
    EXPECT_NE(gfapi_read.output.find("read 1048576"), std::string::npos) << gfapi_read.output;
    EXPECT_EQ(gfapi_read.output.find("failed"), std::string::npos) << gfapi_read.output;
    check("deep/er/top");
    // The base was not touched.
    const Ran untouched = shell("qemu-io -f qcow2 -c 'read -P 0 5M 64k' " + quoted(fuse("base")));
    EXPECT_EQ(untouched.output.find("failed"), std::string::npos) << untouched.output;
}

TEST_F(Qcow2Test, WrongOptionsAreRefusedAndNothingIsLeft) {
    auto with = [](std::uint64_t cluster_size, std::vector<std::string> features,
                   const std::string& compat = "") {
        VolumeSpec spec = qcow2("a");
        if (cluster_size != 0) spec.cluster_size = cluster_size;
        spec.features = std::move(features);
        spec.compat = compat;
        return spec;
    };
    std::vector<VolumeSpec> wrong;
    for (const std::uint64_t size : {1ul, 256ul, 65537ul, 3ul << 16, 4ul << 20, 1ul << 40})
        wrong.push_back(with(size, {}));
    wrong.push_back(qcow2("a", 1ull << 62));
    wrong.push_back(with(512, {}));
    wrong.back().capacity = 200 * 1024 * kGiB;
    wrong.push_back(with(0, {"lazy_refcounts"}, "0.10"));
    wrong.push_back(with(0, {"extended_l2"}, "0.10"));
    wrong.push_back(with(8192, {"extended_l2"}));
    for (const auto& spec : wrong) {
        const auto answer = pool().create(spec);
        // What cannot be, and what the format does not have: either is a clear answer.
        EXPECT_TRUE(answer.refusal.code == VIR_ERR_INVALID_ARG ||
                    answer.refusal.code == VIR_ERR_CONFIG_UNSUPPORTED)
            << spec.xml() << ": " << answer.refusal.code << " " << answer.refusal.message;
    }
    EXPECT_EQ(on_brick(), std::vector<std::string>{});
    EXPECT_EQ(pool().volume_names(), std::vector<std::string>{});
}

TEST_F(Qcow2Test, AnUnknownCompatIsRefused) {
    for (const char* compat : {"2.0", "1.0", "0.1"}) {
        VolumeSpec spec = qcow2("a");
        spec.compat = compat;
        EXPECT_TRUE(refused(pool().create(spec), VIR_ERR_CONFIG_UNSUPPORTED, compat));
        EXPECT_EQ(on_brick(), std::vector<std::string>{});
    }
}

TEST_F(Qcow2Test, AnImageThatIsNotPaddedIsNamedInTheLog) {
    const Ran made = shell("qemu-img create -q -f qcow2 " + quoted(fuse("short")) +
                           " 5M && truncate -s 196700 " + quoted(fuse("short")));
    ASSERT_TRUE(made.ok()) << made.output;
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(pool().lists("short"));
    const std::string said = lab().said_by_libvirtd(1);
    EXPECT_NE(said.find("'short' has a length of 196700 bytes"), std::string::npos);
}

}  // namespace sfg::test
