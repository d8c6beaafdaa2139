// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include "driver/convert/check_job.hpp"
#include "driver/convert/job_text.hpp"

namespace sfg {
namespace {

constexpr char kGfid[] = "0a1b2c3d-0000-4000-8000-00112233aabb";

ConvertJob good_job() {
    ConvertJob job;
    job.volumes = {{"images", {{"host1", 0}, {"2001:db8::1", 24008}}}, {"other", {{"host2", 0}}}};
    job.source = {{"qcow2", {0, "a/top image\n", kGfid}}, {"raw", {std::nullopt, "/b", "", 7}}};
    job.target.format = "qcow2";
    job.target.file = {1, "c/.d.sfgluster-1", kGfid};
    job.target.options = {{"compat", "1.1"}, {"cluster_size", "65536"}};
    return job;
}

TEST(ConvertJobText, ArrivesAsItWasSent) {
    ConvertJob job = good_job();
    ConvertTools tools;
    tools.qemu_img = "/q";
    tools.users = {"a", "b"};
    const std::string text = job_text(job, tools);
    const auto frame = text.find('\0');
    EXPECT_EQ(text.substr(0, frame), std::to_string(text.size() - frame - 1));

    const auto read = parse_job_text(text.substr(frame + 1));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->tools.qemu_img, "/q");
    EXPECT_EQ(read->tools.glusterfs, tools.glusterfs);
    EXPECT_EQ(read->tools.mount_limit, tools.mount_limit);
    EXPECT_EQ(read->tools.users, tools.users);
    EXPECT_EQ(read->job.volumes, job.volumes);
    ASSERT_EQ(read->job.source.size(), 2U);
    EXPECT_EQ(read->job.source[0].format, "qcow2");
    EXPECT_EQ(read->job.source[0].file.volume, std::optional<std::size_t>(0));
    EXPECT_EQ(read->job.source[0].file.path, "a/top image\n");
    EXPECT_EQ(read->job.source[0].file.gfid, kGfid);
    EXPECT_EQ(read->job.source[0].file.descriptor, std::nullopt);
    EXPECT_EQ(read->job.source[1].file.volume, std::nullopt);
    EXPECT_EQ(read->job.source[1].file.descriptor, 7);
    EXPECT_EQ(read->job.target.file.volume, std::optional<std::size_t>(1));
    EXPECT_EQ(read->job.target.options, job.target.options);
    EXPECT_FALSE(read->job.target.made);

    job.target.options.clear();
    job.target.made = true;
    job.target.bases = job.source;
    const std::string made = job_text(job, tools);
    const auto again = parse_job_text(made.substr(made.find('\0') + 1));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->job.target.made);
    EXPECT_EQ(again->job.target.bases.size(), 2U);
}

TEST(ConvertJobText, CutOffOrOfAnotherVersionIsRefused) {
    const std::string text = job_text(good_job(), {});
    const std::string body = text.substr(text.find('\0') + 1);
    for (std::size_t length = 0; length < body.size(); ++length)
        EXPECT_FALSE(parse_job_text(body.substr(0, length))) << length;
    EXPECT_FALSE(parse_job_text(body + std::string(1, '\0')));
    EXPECT_FALSE(parse_job_text("sfgluster-convert 0" + body.substr(body.find('\0'))));
}

TEST(ConvertCheckJob, AFairJobPasses) {
    const auto checked = check_job(good_job());
    EXPECT_TRUE(checked) << checked.error().message();
}

void expect_refused(const ConvertJob& job, const std::string& words,
                    ErrorKind kind = ErrorKind::invalid) {
    const auto checked = check_job(job);
    ASSERT_FALSE(checked) << words;
    EXPECT_EQ(checked.error().kind(), kind);
    EXPECT_NE(checked.error().message().find(words), std::string::npos)
        << checked.error().message();
}

TEST(ConvertCheckJob, PathsStayInTheirVolume) {
    for (const char* const path : {"/a", "../a", "a/../b", "a/.", "", "./"}) {
        ConvertJob job = good_job();
        job.source[0].file.path = path;
        EXPECT_FALSE(check_job(job)) << path;
        job = good_job();
        job.target.file.path = path;
        EXPECT_FALSE(check_job(job)) << path;
    }
    ConvertJob job = good_job();
    job.source[1].file.path = "b";
    expect_refused(job, "'b' is not an absolute path");
    job = good_job();
    job.target.file.volume = 2;
    expect_refused(job, "is in no volume");
    job = good_job();
    job.source[0].file.path = std::string("a\0b", 3);
    EXPECT_FALSE(check_job(job));
}

TEST(ConvertCheckJob, AFileInAVolumeHasItsIdentity) {
    for (const char* const gfid : {"", "0a1b2c3d", "0a1b2c3d-0000-4000-8000-00112233aabg",
                                   "0a1b2c3d00004000800000112233aabb"}) {
        ConvertJob job = good_job();
        job.target.file.gfid = gfid;
        expect_refused(job, "identity");
    }
}

TEST(ConvertCheckJob, OnlyFormatsOfImagesAreFormats) {
    for (const char* const format :
         {"nbd", "file", "host_device", "blkdebug", "luks", "", "QCOW2"}) {
        ConvertJob job = good_job();
        job.source[1].format = format;
        expect_refused(job, "converting from the format", ErrorKind::unsupported);
        job = good_job();
        job.target.format = format;
        expect_refused(job, "converting to the format", ErrorKind::unsupported);
    }
    ConvertJob job = good_job();
    job.target.format = "dmg";
    expect_refused(job, "converting to the format 'dmg'", ErrorKind::unsupported);
}

TEST(ConvertCheckJob, OptionsNameNoFiles) {
    for (const char* const name :
         {"backing_file", "backing_fmt", "data_file", "data_file_raw", "encrypt.format",
          "encryption", "size", "a,backing_file", "a=b", ""}) {
        ConvertJob job = good_job();
        job.target.options = {{name, "on"}};
        expect_refused(job, "is not for a conversion");
    }
}

TEST(ConvertCheckJob, OptionsAndBasesGoWithTheirKindOfTarget) {
    ConvertJob job = good_job();
    job.target.made = true;
    expect_refused(job, "options are for a target that is to be made");
    job = good_job();
    job.target.bases = job.source;
    expect_refused(job, "bases for one that is made");
    job = good_job();
    job.source.clear();
    expect_refused(job, "nothing to convert from");
    job = good_job();
    job.volumes[1].servers.clear();
    expect_refused(job, "no server");
}

}  // namespace
}  // namespace sfg
