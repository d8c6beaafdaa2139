// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What sf-gluster doctor makes of what it sees.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hooks/doctor/parts.hpp"
#include "hooks/doctor/volume_info.hpp"

namespace sfg::doctor {
namespace {

namespace fs = std::filesystem;

const std::string kQemu = "64055";

class Doctor : public testing::Test {
  protected:
    void TearDown() override { fs::remove_all(directory_); }
    void file(const std::string& name, const std::string& bytes) {
        fs::create_directories((directory_ / name).parent_path());
        std::ofstream(directory_ / name) << bytes;
    }
    const fs::path directory_ = testing::TempDir() + "sfg-doctor-" + std::to_string(getpid());
};

VolumeInfo good_volume() {
    return {"sf",
            true,
            3,
            0,
            {{"storage.owner-uid", "64055"},
             {"cluster.quorum-type", "auto"},
             {"server.allow-insecure", "on"}}};
}

// Of what is to be mended or known, what stands about the options; "" where all is fine.
std::string said(const VolumeInfo& info) {
    std::string text;
    for (const auto& finding : check_volume(info, kQemu))
        if (finding.level != Level::fine) text += finding.what + " | " + finding.mend + "\n";
    return text;
}

std::string with(const std::string& option, const std::string& value) {
    auto info = good_volume();
    info.options[option] = value;
    return said(info);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_F(Doctor, AVolumesOptionsAreJudged) {
    EXPECT_EQ(said(good_volume()), "");
    EXPECT_TRUE(has(with("storage.owner-uid", "0"), "libvirtd gives it the images |"));
    EXPECT_TRUE(has(with("server.allow-insecure", "off"), "server.allow-insecure on"));
    EXPECT_TRUE(has(with("performance.write-behind", "off"), "performance.write-behind on"));
    EXPECT_TRUE(has(with("performance.strict-o-direct", "on"), "4 to 6 times"));
    EXPECT_TRUE(has(with("performance.write-behind-window-size", "8MB"), "volume reset sf"));
    EXPECT_TRUE(has(with("performance.client-io-threads", "on"), "client-io-threads is on"));
    EXPECT_TRUE(has(with("features.shard", "on"), "sharded"));
    EXPECT_TRUE(has(with("cluster.quorum-type", "none"), "cluster.quorum-type auto"));

    auto info = good_volume();
    info.replicas = 2;
    EXPECT_TRUE(has(said(info), "without an arbiter"));
    info.arbiters = 1;
    EXPECT_FALSE(has(said(info), "without an arbiter"));
    info.started = false;
    EXPECT_TRUE(has(said(info), "gluster volume start sf"));
    info = good_volume();
    info.options.erase("storage.owner-uid");
    info.options["server.root-squash"] = "on";
    EXPECT_TRUE(has(said(info), "storage.owner-uid is not set"));
    EXPECT_TRUE(has(said(info), "gluster volume set sf storage.owner-uid 64055"));
}

TEST_F(Doctor, GlustersAnswerIsRead) {
    const auto info = parse_volume_info(
        "<?xml version='1.0'?><cliOutput><opRet>0</opRet><volInfo><volumes><volume><name>sf</name>"
        "<statusStr>Started</statusStr><replicaCount>3</replicaCount><arbiterCount>1</arbiterCount>"
        "<options><option><name>features.shard</name><value>on</value></option></options></volume>"
        "</volumes></volInfo></cliOutput>");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->name, "sf");
    EXPECT_TRUE(info->started);
    EXPECT_EQ(info->replicas, 3);
    EXPECT_EQ(info->arbiters, 1);
    EXPECT_EQ(info->options.at("features.shard"), "on");
    const auto none = parse_volume_info(
        "<cliOutput><opRet>-1</opRet><opErrstr>Volume sf does not exist</opErrstr></cliOutput>");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message(), "Volume sf does not exist");
    EXPECT_FALSE(parse_volume_info("Connection failed. Please check if gluster daemon is up."));
}

TEST_F(Doctor, SaysWhichModuleLibvirtWillLoad) {
    auto levels = [&] {
        std::string text;
        for (const auto& finding : check_modules(directory_, "9.0.0"))
            text += std::string(level_name(finding.level)) + " ";
        return text;
    };
    EXPECT_EQ(levels(), "note problem problem ");
    for (const std::string kind : {"backend", "file"})
        file("libvirt/storage-" + kind + "/libvirt_storage_" + kind + "_gluster.so", "stock");
    EXPECT_TRUE(has(check_modules(directory_, "9.0.0")[1].what, "is libvirt's own module"));
    for (const std::string kind : {"backend", "file"}) {
        file("libvirt/storage-" + kind + "/libvirt_storage_" + kind + "_gluster.so",
             "...sf-gluster: ...");
        file("sf-gluster/stock/libvirt_storage_" + kind + "_gluster.so", "stock");
    }
    const auto fallback = check_modules(directory_, "9.0.0");
    EXPECT_EQ(fallback[1].level, Level::problem);
    EXPECT_TRUE(has(fallback[1].what, "served by libvirt's own module"));
    for (const std::string kind : {"backend", "file"})
        file("sf-gluster/abi-9.0.0-" + kind + ".so", "");
    EXPECT_EQ(levels(), "note fine fine ");
}

TEST_F(Doctor, FindsImagesThatDoNotOpenOverGfapi) {
    file("a/good", std::string("QFI\xfb", 4) + std::string(508, 'x'));
    file("a/b/bad", std::string("QFI\xfb", 4) + std::string(100, 'x'));
    file("it's", std::string("QFI\xfb", 4));
    file("text", "not an image");
    file(".trashcan/bad", "QFI\xfb");
    fs::create_symlink("/", directory_ / "root");
    const std::string point = directory_;
    const auto volumes =
        hooks::KnownVolumes::make({"", "22 1 254:0 / / rw - ext4 /dev/vda rw\n90 22 0:50 / " +
                                           point + " rw - fuse.glusterfs sf-1:/sf rw,user_id=0\n"});
    ASSERT_TRUE(volumes);
    const auto findings = check_images(*volumes);
    ASSERT_EQ(findings.size(), 3u) << as_text(findings);
    EXPECT_TRUE(has(findings[0].what, "2 of 4 files are qcow2 images")) << findings[0].what;
    const auto text = as_text(findings);
    EXPECT_TRUE(has(text, "mend: truncate --no-create --size=%512 " + point + "/a/b/bad\n"))
        << text;
    EXPECT_TRUE(has(text, "mend: truncate --no-create --size=%512 '" + point + "/it'\\''s'\n"))
        << text;
}

TEST_F(Doctor, AppArmorIsToLetThemIn) {
    auto check = [&] {
        return check_apparmor(directory_ / "etc", directory_ / "enabled", directory_ / "profiles");
    };
    EXPECT_EQ(check().front().what, "it is off on this host");
    file("enabled", "Y\n");
    file("etc/usr.sbin.libvirtd", "profile libvirtd {}");
    file("etc/abstractions/libvirt-qemu", "include if exists <local/abstractions/libvirt-qemu>\n");
    EXPECT_EQ(check().size(), 2u);
    EXPECT_EQ(check().front().mend, "/usr/share/sf-gluster/apparmor-lines add");
    EXPECT_EQ(check().front().level, Level::problem);
    // No guest is confined where libvirtd is not.
    file("profiles", "virt-aa-helper (enforce)\n");
    ASSERT_EQ(check().size(), 1u);
    EXPECT_EQ(check().front().level, Level::fine);
    file("profiles", "");
    EXPECT_EQ(check().front().level, Level::fine);
    file("profiles", "virt-aa-helper (enforce)\nlibvirtd (enforce)\n");
    EXPECT_EQ(check().size(), 2u);
    file("etc/local/usr.sbin.libvirtd", "  include if exists <abstractions/sf-gluster-libvirtd>\n");
    file("etc/abstractions/libvirt-qemu", "include if exists <abstractions/libvirt-qemu.d>\n");
    ASSERT_EQ(check().size(), 1u);
    EXPECT_EQ(check().front().level, Level::fine);
}

TEST_F(Doctor, TheHookIsToBeThere) {
    EXPECT_EQ(check_hook(directory_ / "hook").front().level, Level::warning);
    file("hook", "#!/bin/sh\n");
    EXPECT_EQ(check_hook(directory_ / "hook").front().level, Level::warning);
}

TEST_F(Doctor, ScriptsGetJson) {
    const Findings fine{{Level::fine, "a", "b", ""}, {Level::note, "c", "d", ""}};
    const Findings bad{{Level::warning, "volume \"x\"\n", "\xff", "do"}};
    EXPECT_FALSE(something_to_mend(fine));
    EXPECT_TRUE(something_to_mend(bad));
    EXPECT_EQ(nlohmann::json::parse(as_json(fine))["ok"], true);
    const auto json = nlohmann::json::parse(as_json(bad));
    EXPECT_EQ(json["ok"], false);
    EXPECT_EQ(json["findings"][0]["level"], "warning");
    EXPECT_EQ(json["findings"][0]["mend"], "do");
}

}  // namespace sfg::doctor
