// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <cerrno>

#include "driver/convert/node_json.hpp"
#include "driver/convert/qemu_output.hpp"
#include "driver/convert/report.hpp"

namespace sfg {
namespace {

TEST(ConvertNodeJson, NamesEachNodeAndEndsTheChain) {
    const std::vector<QemuNode> chain = {{"qcow2", "file", "/proc/self/fd/5"},
                                         {"raw", "host_device", "/proc/self/fd/6"}};
    EXPECT_EQ(qemu_json(chain),
              R"(json:{"driver":"qcow2","file":{"driver":"file","filename":"/proc/self/fd/5",)"
              R"("locking":"off"},"backing":{"driver":"raw","file":{"driver":"host_device",)"
              R"("filename":"/proc/self/fd/6","locking":"off"},"backing":null}})");
}

TEST(ConvertNodeJson, NestsAsDeepAsTheChain) {
    const std::vector<QemuNode> chain(300, QemuNode{"qcow2", "file", "/f"});
    const std::string text = qemu_json(chain);
    std::size_t backings = 0;
    for (auto at = text.find("\"backing\":{"); at != std::string::npos;
         at = text.find("\"backing\":{", at + 1))
        ++backings;
    EXPECT_EQ(backings, 299U);
    EXPECT_TRUE(text.ends_with("\"backing\":null" + std::string(300, '}')));
}

TEST(ConvertNodeJson, QuotesWhatWouldEndAString) {
    EXPECT_EQ(json_string("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(json_string("\n\x01 \x7f"), "\"\\u000a\\u0001 \x7f\"");
    EXPECT_EQ(json_string("h\xc3\xa4"), "\"h\xc3\xa4\"");
    const std::vector<QemuNode> chain = {{"raw", "file", "x\",\"backing\":\"/etc/shadow"}};
    EXPECT_NE(qemu_json(chain).find(R"("x\",\"backing\":\"/etc/shadow")"), std::string::npos);
}

TEST(ConvertReport, LinesAreReadAsTheyWereWritten) {
    auto report = parse_report("progress 42.50");
    ASSERT_TRUE(report);
    EXPECT_EQ(report->what, Report::What::progress);
    EXPECT_DOUBLE_EQ(report->percent, 42.5);
    EXPECT_EQ(progress_line(42.5), "progress 42.50\n");
    EXPECT_EQ(parse_report("alive")->what, Report::What::alive);
    EXPECT_EQ(parse_report("done")->what, Report::What::done);

    const std::string line = error_line(Error(ErrorKind::no_space, ENOSPC, "two\nlines of it"));
    EXPECT_EQ(line, "error no_space " + std::to_string(ENOSPC) + " two lines of it\n");
    report = parse_report(line.substr(0, line.size() - 1));
    ASSERT_TRUE(report);
    EXPECT_EQ(report->error->kind(), ErrorKind::no_space);
    EXPECT_EQ(report->error->system_errno(), ENOSPC);
    EXPECT_EQ(report->error->message(), "two lines of it");
}

TEST(ConvertReport, EveryKindComesThrough) {
    for (const auto kind :
         {ErrorKind::not_found, ErrorKind::pool_missing, ErrorKind::exists, ErrorKind::invalid,
          ErrorKind::unsupported, ErrorKind::corrupt, ErrorKind::busy, ErrorKind::no_space,
          ErrorKind::denied, ErrorKind::not_connected, ErrorKind::io}) {
        std::string line = error_line(Error(kind, "text"));
        line.pop_back();
        const auto report = parse_report(line);
        ASSERT_TRUE(report) << line;
        EXPECT_EQ(report->error->kind(), kind) << line;
    }
}

TEST(ConvertReport, OtherLinesAreNone) {
    for (const char* const line :
         {"", "progress", "progress x", "progress 101", "progress -1", "progress nan", "done now",
          "error", "error io", "error io 5", "error io x text", "error what 5 text", "Done"})
        EXPECT_FALSE(parse_report(line)) << line;
}

TEST(ConvertQemuOutput, ProgressComesInPieces) {
    QemuProgress progress;
    EXPECT_EQ(progress.feed("    (0.00/100%)\r    (1"), std::optional<double>(0.0));
    EXPECT_EQ(progress.feed("2.3"), std::nullopt);
    EXPECT_EQ(progress.feed("4/100%)\r"), std::optional<double>(12.34));
    EXPECT_EQ(progress.feed("    (13.00/100%)\r    (14.00/100%)\r"), std::optional<double>(14.0));
    EXPECT_EQ(progress.feed("(x/100%) (200.0/100%) (" + std::string(10000, '9')), std::nullopt);
    EXPECT_EQ(progress.feed(")\r    (100.00/100%)\r"), std::optional<double>(100.0));
}

TEST(ConvertQemuOutput, CapacityIsTheImagesOwn) {
    EXPECT_EQ(virtual_size("image: x\nfile format: raw\nvirtual size: 64 MiB (67108864 bytes)\n"
                           "backing file: \nvirtual size: 1 B (1 bytes)\n"),
              std::optional<std::uint64_t>(67108864));
    EXPECT_EQ(virtual_size("virtual size: 64 MiB\n"), std::nullopt);
    EXPECT_EQ(virtual_size("virtual size: x (y bytes)\n"), std::nullopt);
    EXPECT_EQ(virtual_size("image: virtual size: 1 B (1 bytes)\n"), std::nullopt);
}

TEST(ConvertQemuOutput, ErrorsNameFilesAsTheUserDoes) {
    const std::string json = R"(json:{"file":"/proc/self/fd/5"})";
    const Error error =
        qemu_error("converting", "qemu-img: Could not open '" + json + "': Bad\x01 image\n",
                   {{"'" + json + "'", "'a/b'"}, {"'/proc/self/fd/5'", "'a/b'"}});
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_EQ(error.message(), "converting: qemu-img: Could not open 'a/b': Bad\\x01 image");
}

TEST(ConvertQemuOutput, AFullBrickIsNoSpace) {
    const Error error = qemu_error(
        "converting", "qemu-img: error while writing at byte 5: No space left on device\n", {});
    EXPECT_EQ(error.kind(), ErrorKind::no_space);
    EXPECT_EQ(error.system_errno(), ENOSPC);
    EXPECT_EQ(qemu_error("x", "Disk quota exceeded", {}).kind(), ErrorKind::no_space);
}

TEST(ConvertQemuOutput, LongErrorsAreCut) {
    OutputTail tail;
    for (int i = 0; i < 100; ++i) tail.feed(std::string(5000, 'x') + "\n");
    tail.feed("the end\n");
    EXPECT_LE(tail.text().size(), 65536U);
    const Error error = qemu_error("converting", tail.text(), {});
    EXPECT_LT(error.message().size(), 4096U);
    EXPECT_TRUE(error.message().ends_with("; the end"));
    EXPECT_EQ(qemu_error("converting", "", {}).message(),
              "converting: qemu-img failed and did not say why");
}

TEST(ConvertQemuOutput, GlusterErrorsAreTheLastOfTheLog) {
    const std::string log =
        "[2026-11-22 19:00:00.1 +0000] I [MSGID: 100030] [glusterfsd.c:2872:main] 0-glusterfs: hi\n"
        "[2026-11-22 19:00:00.2 +0000] E [MSGID: 101075] [common-utils.c:501:f] 0-resolver: one\n"
        "[2026-11-22 19:00:00.3 +0000] E [name.c:383:g] 0-glusterfs: two\n"
        "[2026-11-22 19:00:00.4 +0000] E [name.c:383:g] 0-glusterfs: two\n"
        "[2026-11-22 19:00:00.5 +0000] E [mgmt.c:12:h] 0-mgmt: three (key:/v)\n"
        "[2026-11-22 19:00:00.6 +0000] W [mgmt.c:12:h] 0-mgmt: four\n";
    EXPECT_EQ(last_gluster_errors(log), "glusterfs: two; mgmt: three (key:/v)");
    EXPECT_EQ(last_gluster_errors("nothing\n"), "");
}

}  // namespace
}  // namespace sfg
