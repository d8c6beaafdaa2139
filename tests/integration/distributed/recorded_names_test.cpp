// SPDX-License-Identifier: LGPL-2.1-or-later
//
// However an image records what it needs, that is neither deleted nor overwritten; and what it
// records of other places is no hindrance.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/image_checks.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class RecordedNamesTest : public DistributedPoolTest {
  protected:
    // From the volume's root, without a leading '/'.
    std::string in_volume(const std::string& name) const {
        return directory_in_volume().substr(1) + "/" + name;
    }

    // What every way to take from that volume is refused with.
    void expect_needed_by(const std::string& name, const std::string& who) {
        for (const auto& taking : takings())
            EXPECT_TRUE(refused(taking.from(*pool().volume(name)), VIR_ERR_RESOURCE_BUSY, who))
                << taking.name;
        EXPECT_TRUE(exists(name));
    }

    void expect_free(const std::string& name) {
        const auto volume = pool().volume(name);
        ASSERT_TRUE(done(volume));
        EXPECT_TRUE(done(wipe(*volume)));
        EXPECT_TRUE(done(volume->erase()));
        EXPECT_FALSE(exists(name));
    }
};

// A spelling of a base's name, which qemu 7.2 takes for the base, or would take for it if it could
// open it; {P} stands for its path in the gluster volume, {V} for the volume,
// {H} for a host of it, {M} for the pool's directory on a mount, {N} for the name.
struct Spelling {
    std::string label;
    std::string recorded;
    std::string base = "image_cache/base";
};

void PrintTo(const Spelling& spelling, std::ostream* out) {
    *out << spelling.recorded;
}

std::string with(std::string text, const std::string& what, const std::string& instead) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + instead.size()))
        text.replace(at, what.size(), instead);
    return text;
}

class SpellingTest : public RecordedNamesTest, public testing::WithParamInterface<Spelling> {
  protected:
    std::string recorded() const {
        std::string text = GetParam().recorded;
        text = with(text, "{P}", in_volume(GetParam().base));
        text = with(text, "{P/}", with(in_volume(GetParam().base), "/", "\\/"));
        text = with(text, "{D}", directory_in_volume().substr(1));
        text = with(text, "{V}", volume());
        text = with(text, "{H}", lab().gluster_host());
        text = with(text, "{M}", fuse());
        return with(text, "{N}", GetParam().base);
    }
};

class BaseSpellingTest : public SpellingTest {};
class OtherPlaceTest : public SpellingTest {};
class UnclearSpellingTest : public SpellingTest {
  protected:
    void TearDown() override {
        if (configured_) {
            lab().configure(1, "");
            EXPECT_TRUE(lab().libvirtd(1, "restart").ok());
            reconnect(1);
        }
        SpellingTest::TearDown();
    }
    void configure(const std::string& text) {
        configured_ = true;
        lab().configure(1, text);
        ASSERT_TRUE(lab().libvirtd(1, "restart").ok());
        reconnect(1);
        if (!pool().is_active()) {
            ASSERT_TRUE(done(pool().start()));
        }
    }

  private:
    bool configured_ = false;
};

constexpr char kServer[] =
    R"("server":[{"type":"inet","host":"{H}","port":"24007"},{"type":"inet","host":"elsewhere","port":"24007"}])";

std::vector<Spelling> spellings_of_the_base() {
    const std::string server = kServer;
    return {
        {"relative", "../{N}"},
        {"relative_with_a_protocol", "file:../{N}"},
        {"absolute_with_a_protocol", "file:{M}/{N}"},
        {"absolute_with_a_protocol_and_slashes", "file://{M}/{N}"},
        {"uri", "gluster://{H}/{V}/{P}"},
        {"uri_with_a_port", "gluster://{H}:24007/{V}/{P}"},
        {"uri_without_a_host", "gluster:///{V}/{P}"},
        {"uri_of_tcp", "gluster+tcp://{H}/{V}/{P}"},
        {"uri_of_tcp_without_a_host", "gluster+tcp:///{V}/{P}"},
        {"uri_of_rdma", "gluster+rdma://{H}/{V}/{P}"},
        {"uri_of_a_socket", "gluster+unix:///{V}/{P}?socket=/run/glusterd.socket"},
        {"uri_with_percent", "gluster://{H}/{V}/{D}/image%5fcache/%62ase"},
        {"uri_with_percent_in_the_volume", "gluster://{H}/%73hakenfist/{P}"},
        {"uri_with_many_slashes", "gluster://{H}/{V}//{P}"},
        {"uri_with_dots", "gluster://{H}/{V}/{D}/instances/../{N}"},
        {"uri_of_ipv6", "gluster://[::1]:24007/{V}/{P}"},
        {"json_of_libvirt",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{P}",)" +
             server + "}}"},
        {"json_with_escapes",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{P/}",)" +
             server + "}}"},
        {"json_with_unicode_escapes",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{D}/image\u005fcache/b\u0061se",)" +
             server + "}}"},
        {"json_of_an_umlaut",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{D}/image_cache/b\u00e4se",)" +
             server + "}}",
         "image_cache/b\xc3\xa4se"},
        {"json_beyond_the_plane",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{D}/image_cache/\ud83d\ude00",)" +
             server + "}}",
         "image_cache/\xf0\x9f\x98\x80"},
        {"json_with_a_quote",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{D}/image_cache/a\"b",)" +
             server + "}}",
         "image_cache/a\"b"},
        {"json_with_single_quotes",
         "json:{'driver':'qcow2','file':{'driver':'gluster','volume':'{V}','path':'{P}','server':"
         "[{'type':'inet','host':'{H}','port':'24007'}]}}"},
        {"json_with_dotted_keys",
         R"(json:{"driver":"qcow2","file.driver":"gluster","file.volume":"{V}","file.path":"{P}","file.server.0.type":"inet","file.server.0.host":"{H}","file.server.0.port":"24007"})"},
        {"json_half_dotted",
         R"(json:{"file":{"driver":"gluster","volume":"{V}","path":"{P}","server.0.type":"tcp","server.0.host":"{H}","server.0.port":"24007"},"driver":"qcow2"})"},
        {"json_without_a_format",
         R"(json:{"driver":"gluster","volume":"{V}","path":"{P}",)" + server + "}"},
        {"json_with_spaces",
         R"(json: { "driver" : "qcow2" , "file" : { "driver" : "gluster" , "volume" : "{V}" , "path" : "{P}" , )" +
             server + " } } "},
        {"json_of_a_path",
         R"(json:{"driver":"qcow2","file":{"driver":"file","filename":"{M}/{N}"}})"},
        {"json_of_a_path_dotted", R"(json:{"driver":"qcow2","file.filename":"{M}/{N}"})"},
        {"json_of_a_uri_dotted",
         R"(json:{"driver":"qcow2","file.driver":"gluster","file.filename":"gluster://{H}/{V}/{P}"})"},
        {"json_with_a_filter",
         R"(json:{"driver":"qcow2","file":{"driver":"throttle","throttle-group":"g","file":{"driver":"gluster","volume":"{V}","path":"{P}",)" +
             server + "}}}"},
        {"json_of_a_part",
         R"(json:{"driver":"raw","offset":0,"size":512,"file":{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{P}",)" +
             server + "}}}"},
    };
}

std::vector<Spelling> spellings_of_other_places() {
    return {
        {"nbd", "nbd://{H}/{P}"},
        {"nbd_of_old", "nbd:{H}:10809:exportname={N}"},
        {"nbd_of_a_socket", "nbd+unix:///{P}?socket=/run/x"},
        {"rbd", "rbd:pool/{N}"},
        {"http", "http://{H}/{V}/{P}"},
        {"ssh", "ssh://{H}/{P}"},
        {"iscsi", "iscsi://{H}/{V}/0"},
        {"uri_of_another_volume", "gluster://{H}/another/{P}"},
        {"uri_of_another_file", "gluster://{H}/{V}/{P}2"},
        {"uri_without_the_volume", "gluster://{H}/{N}"},
        {"relative_of_another_file", "../{N}2"},
        {"json_of_nbd",
         R"(json:{"driver":"raw","file":{"driver":"nbd","export":"{P}","server":{"type":"inet","host":"{H}","port":"10809"}}})"},
        {"json_of_rbd",
         R"(json:{"driver":"raw","file":{"driver":"rbd","pool":"p","image":"{N}"}})"},
        {"json_of_http", R"(json:{"driver":"raw","file":{"driver":"http","url":"http://h/{P}"}})"},
        {"json_of_another_volume",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"another","path":"{P}",)" +
             std::string(kServer) + "}}"},
        {"json_of_another_file",
         R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{P}2",)" +
             std::string(kServer) + "}}"},
        {"json_of_another_path",
         R"(json:{"driver":"qcow2","file":{"driver":"file","filename":"{M}/{N}2"}})"},
    };
}

// Of these nobody can say what qemu opens.
std::vector<Spelling> unclear_spellings() {
    return {
        {"broken_json", R"(json:{"driver":"qcow2","file":{"driver":"gluster)"},
        {"json_of_a_node", R"(json:{"driver":"qcow2","file":"node17"})"},
        {"json_of_nothing", "json:{}"},
        {"json_that_is_a_list", "json:[1,2]"},
        {"json_of_a_driver_yet_to_come",
         R"(json:{"driver":"qcow2","file":{"driver":"cluster-of-2040","where":"there"}})"},
    };
}

std::string spelled(const testing::TestParamInfo<Spelling>& spelling) {
    return spelling.param.label;
}

}  // namespace

TEST_P(BaseSpellingTest, IsUnderstood) {
    const std::string& base = GetParam().base;
    ASSERT_TRUE(done(pool().create(qcow2(base, kTakenFrom))));
    make_overlay("instances/ov", recorded());
    expect_needed_by(base, "'instances/ov'");
    fs::remove(fuse("instances/ov"));
    expect_free(base);
}

INSTANTIATE_TEST_SUITE_P(Spellings, BaseSpellingTest, testing::ValuesIn(spellings_of_the_base()),
                         spelled);

TEST_P(OtherPlaceTest, IsNoHindrance) {
    ASSERT_TRUE(done(pool().create(qcow2("image_cache/base", kTakenFrom))));
    make_overlay("instances/ov", recorded());
    ASSERT_TRUE(done(pool().refresh()));
    expect_free("image_cache/base");
}

INSTANTIATE_TEST_SUITE_P(Spellings, OtherPlaceTest, testing::ValuesIn(spellings_of_other_places()),
                         spelled);

TEST_P(UnclearSpellingTest, CountsAndTheRefusalSaysWhatSettlesIt) {
    ASSERT_TRUE(done(pool().create(qcow2("image_cache/base", kTakenFrom))));
    make_overlay("instances/ov", recorded());
    for (const auto& taking : takings()) {
        const Refusal refusal = taking.from(*pool().volume("image_cache/base"));
        EXPECT_NE(refusal.code, VIR_ERR_OK) << taking.name;
        EXPECT_NE(refusal.message.find("instances/ov"), std::string::npos) << refusal.message;
        EXPECT_TRUE(refusal.message.find("qemu-img rebase -u") != std::string::npos ||
                    refusal.message.find("ignore-images") != std::string::npos)
            << refusal.message;
    }
    const Ran rebased = shell("qemu-img rebase -u -b '' " + quoted(fuse("instances/ov")));
    ASSERT_TRUE(rebased.ok()) << rebased.output;
    expect_free("image_cache/base");
}

TEST_P(UnclearSpellingTest, DoesNotCountWhereTheConfigurationSaysSo) {
    ASSERT_TRUE(done(pool().create(qcow2("image_cache/base", kTakenFrom))));
    make_overlay("instances/ov", recorded());
    configure("[driver]\nignore-images=another/x;" + volume() + "/" + in_volume("instances/ov") +
              "\n");
    expect_free("image_cache/base");
}

INSTANTIATE_TEST_SUITE_P(Spellings, UnclearSpellingTest, testing::ValuesIn(unclear_spellings()),
                         spelled);

// A byte that is no UTF-8, a control character.
TEST_F(RecordedNamesTest, OfAnImageWhoseOwnNameIsNotShown) {
    ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
    for (const std::string& name : {std::string("ov\xe9"), std::string("ov\x01"),
                                    std::string("d\xe9/ov"), std::string("d\x01/e/ov")}) {
        SCOPED_TRACE(name);
        const std::size_t depth =
            static_cast<std::size_t>(std::count(name.begin(), name.end(), '/'));
        std::string up;
        for (std::size_t i = 0; i < depth; ++i) up += "../";
        make_overlay(name, up + "base");
        expect_needed_by("base", "ov");
        fs::remove(fuse(name));
    }
    expect_free("base");
}

TEST_F(RecordedNamesTest, OfAnImageThatIsNestedTooDeepToBeShown) {
    ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
    std::string deep, up;
    for (int i = 0; i < 70; ++i) {
        deep += "d/";
        up += "../";
    }
    make_overlay(deep + "ov", up + "base");
    ASSERT_TRUE(done(pool().refresh()));
    expect_needed_by("base", "ov");
    fs::remove(fuse(deep + "ov"));
    expect_free("base");
}

TEST_F(RecordedNamesTest, ThatLeaveAMountAndEnterItAgain) {
    ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
    const fs::path mount = lab().mount_of(volume());
    make_overlay("instances/ov", fs::relative(mount.parent_path(), fuse("instances")).string() +
                                     "/" + mount.filename().string() + "/" + in_volume("base"));
    expect_needed_by("base", "'instances/ov'");
    fs::remove(fuse("instances/ov"));
    expect_free("base");
}

TEST_F(RecordedNamesTest, OfADataFile) {
    for (const std::string& recorded : {fuse("data"), std::string("data")}) {
        SCOPED_TRACE(recorded);
        const Ran made = shell("cd " + quoted(fuse()) +
                               " && qemu-img create -q -f qcow2 -o data_file=" + quoted(recorded) +
                               ",data_file_raw=on image 64M");
        ASSERT_TRUE(made.ok()) << made.output;
        ASSERT_TRUE(done(pool().refresh()));
        expect_needed_by("data", "'image'");
        fs::remove(fuse("image"));
        ASSERT_TRUE(done(pool().refresh()));
        expect_free("data");
    }
}

TEST_F(RecordedNamesTest, OfAnExtentOfVmdk) {
    const Ran made = shell("cd " + quoted(fuse()) +
                           " && qemu-img create -q -f vmdk -o subformat=monolithicFlat disk.vmdk "
                           "64M");
    ASSERT_TRUE(made.ok()) << made.output;
    ASSERT_TRUE(done(pool().refresh()));
    expect_needed_by("disk-flat.vmdk", "'disk.vmdk'");
    fs::remove(fuse("disk.vmdk"));
    expect_free("disk-flat.vmdk");
}

// Words that stand in every such name.
TEST_F(RecordedNamesTest, OfOthersDoNotKeepAVolumeWhoseNameIsAWordOfThem) {
    ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
    const std::string recorded =
        R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":")" + volume() +
        R"(","path":")" + in_volume("base") +
        R"(","server":[{"type":"inet","host":"10.77.0.1","port":"24007"}]}})";
    make_overlay("ov", recorded);
    // At the top of a pool over the volume's root these are names of one word.
    PoolSpec whole = spec();
    whole.name += "-whole";
    whole.directory = "/";
    auto root = start(whole);
    ASSERT_TRUE(done(root));
    for (const char* const word : {"host", "file", "driver", "volume", "path", "inet", "server"}) {
        ASSERT_TRUE(done(root->create(raw(word))));
        EXPECT_TRUE(done(root->volume(word)->erase())) << word;
        ASSERT_TRUE(done(pool().create(raw(word))));
        EXPECT_TRUE(done(pool().volume(word)->erase())) << word;
    }
    expect_needed_by("base", "ov'");
    for (const char* const word : {"host", "file", "driver", "volume", "path", "inet", "server"})
        fs::remove(lab().mount_of(volume()) + "/" + word);
}

class TwoHostsTest : public RecordedNamesTest {
  protected:
    void SetUp() override {
        RecordedNamesTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("image_cache/base", kTakenFrom))));
        ASSERT_TRUE(in_image("qcow2", fuse("image_cache/base"), "write -P 7 0 1M"));
        std::string recorded =
            R"(json:{"driver":"qcow2","file":{"driver":"gluster","volume":"{V}","path":"{P}",)" +
            std::string(kServer) + "}}";
        recorded = with(recorded, "{V}", volume());
        recorded = with(recorded, "{P}", in_volume("image_cache/base"));
        recorded = with(recorded, "{H}", lab().gluster_host());
        make_overlay("instances/ov", recorded);
        recorded_ = recorded;
        ASSERT_TRUE(done(pool().refresh()));
    }
    // What virsh vol-clone asks for.
    Ran cloned() {
        return lab().on_host(
            1, "virsh -q vol-clone --pool " + quoted(pool_name()) + " instances/ov instances/copy");
    }
    std::string recorded_;
};

TEST_F(TwoHostsTest, AnOverlayAsLibvirtRecordsItIsListedWithItsBase) {
    const auto xml = pool().volume("instances/ov")->xml();
    ASSERT_TRUE(done(xml));
    EXPECT_NE(xml->find("image_cache/base"), std::string::npos) << *xml;
}

TEST_F(TwoHostsTest, AnOverlayAsLibvirtRecordsItIsCloned) {
    const Ran ran = cloned();
    EXPECT_TRUE(ran.ok()) << ran.output;
    EXPECT_EQ(image_field(fuse("instances/copy"), "format"), "qcow2");
    EXPECT_NE(image_field(fuse("instances/copy"), "backing-filename"), "");
    ASSERT_TRUE(exists("instances/copy"));
    for (const auto& taking : takings())
        EXPECT_TRUE(refused(taking.from(*pool().volume("image_cache/base")), VIR_ERR_RESOURCE_BUSY,
                            "'instances/copy'"))
            << taking.name;
}

TEST_F(TwoHostsTest, AnOverlayAsLibvirtRecordsItGrows) {
    EXPECT_TRUE(done(resize(*pool().volume("instances/ov"), 2 * kTakenFrom)));
    EXPECT_EQ(image_field(fuse("instances/ov"), "virtual-size"), std::to_string(2 * kTakenFrom));
}

TEST_F(TwoHostsTest, AnOverlayAsLibvirtRecordsItIsFlattened) {
    EXPECT_TRUE(done(pool().clone(raw("flat", kTakenFrom), *pool().volume("instances/ov"))));
    EXPECT_TRUE(same_guest_bytes("raw", fuse("flat"), "qcow2", fuse("image_cache/base")));
}

TEST_F(TwoHostsTest, AnOverlayAsLibvirtRecordsItIsABase) {
    EXPECT_TRUE(done(pool().create(overlay("instances/top", "instances/ov"))));
    EXPECT_TRUE(
        refused(pool().volume("instances/ov")->erase(), VIR_ERR_RESOURCE_BUSY, "'instances/top'"));
}

}  // namespace sfg::test
