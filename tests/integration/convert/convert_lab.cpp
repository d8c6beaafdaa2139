// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/convert/convert_lab.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace sfg::test {

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

namespace {

std::vector<pid_t> all_processes() {
    std::vector<pid_t> found;
    DIR* const proc = opendir("/proc");
    while (const dirent* entry = readdir(proc))
        if (const int pid = std::atoi(entry->d_name); pid > 0) found.push_back(pid);
    closedir(proc);
    return found;
}

// Field `number` of /proc/PID/stat, counted as proc(5) does, from 3 on.
std::string stat_field(pid_t pid, int number) {
    const std::string text = text_of("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return {};
    std::istringstream fields(text.substr(name_end + 1));
    std::string field;
    for (int i = 3; i <= number; ++i) fields >> field;
    return field;
}

}  // namespace

std::string gfid_of(const std::string& path) {
    char gfid[64] = {};
    EXPECT_GT(getxattr(path.c_str(), "glusterfs.gfid.string", gfid, sizeof(gfid) - 1), 0) << path;
    return gfid;
}

void ConvertTest::SetUp() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    directory_ = "convert-" + name;
    local_ = lab_.scratch() + "/" + directory_;
    // Qemu-img in its cage opens these by descriptor only.
    ASSERT_TRUE(shell("mkdir -p " + local_).ok());
    in_shell("rm -rf * .[a-z]*");
    tools_.helper = SFG_CONVERT_HELPER;
}

void ConvertTest::TearDown() {
    EXPECT_TRUE(who_sees_mounts().empty()) << "a mount is left";
    in_shell("rm -rf * .[a-z]*");
    shell("rm -rf " + local_);
}

std::string ConvertTest::second_volume() {
    return lab_.extra_volume("second", {"--brick-size", "300M"});
}

std::string ConvertTest::seen(const std::string& path, const std::string& volume) const {
    return lab_.mount_of(volume.empty() ? lab_.volume() : volume) + "/" + directory_ + "/" + path;
}

void ConvertTest::in_shell(const std::string& command, const std::string& volume) {
    const std::string here = seen("", volume);
    const Ran ran = shell("mkdir -p " + here + " && cd " + here + " && " + command);
    ASSERT_TRUE(ran.ok()) << command << "\n" << ran.output;
}

void ConvertTest::qemu_img(const std::string& words, const std::string& volume) {
    in_shell("qemu-img " + words, volume);
}

void ConvertTest::make_raw(const std::string& path, const std::string& size,
                           const std::string& volume) {
    in_shell("truncate -s " + size + ' ' + path +
                 " && for at in 0 7 21 63; do dd if=/dev/urandom of=" + path +
                 " bs=64k seek=$((at * 16 + 3)) count=5 conv=notrunc status=none; done",
             volume);
}

void ConvertTest::make_empty(const std::string& path, const std::string& volume) {
    in_shell(": > " + path + " && chmod 600 " + path, volume);
}

ConvertFile ConvertTest::file(const std::string& path, std::size_t volume) const {
    return {volume, directory_ + "/" + path, gfid_of(seen(path, volume == 0 ? "" : "second"))};
}

ConvertJob ConvertTest::job(std::size_t volumes) {
    ConvertJob made;
    made.volumes.push_back({lab_.volume(), {{lab_.gluster_host(), 0}}});
    if (volumes == 2) made.volumes.push_back({second_volume(), {{lab_.gluster_host(), 0}}});
    return made;
}

ConvertJob ConvertTest::simple_job(const std::string& source_format, const std::string& source,
                                   const std::string& target_format, const std::string& target) {
    make_empty(target);
    ConvertJob made = job();
    made.source = {{source_format, file(source)}};
    made.target.format = target_format;
    made.target.file = file(target);
    return made;
}

Result<void> ConvertTest::convert(const ConvertJob& job, std::stop_token stop) {
    percents_.clear();
    return convert_image(
        job, [this](double percent) { percents_.push_back(percent); }, stop, tools_);
}

void ConvertTest::expect_converted(const ConvertJob& job) {
    const auto done = convert(job);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_FALSE(percents_.empty());
    EXPECT_TRUE(std::is_sorted(percents_.begin(), percents_.end()));
    EXPECT_EQ(percents_.empty() ? 0 : percents_.back(), 100.0);
}

Error ConvertTest::expect_refused(const ConvertJob& job) {
    const auto done = convert(job);
    EXPECT_FALSE(done);
    return done ? Error(ErrorKind::io, "") : done.error();
}

void ConvertTest::expect_same(const std::string& format, const std::string& path,
                              const std::string& other_format, const std::string& other_path,
                              const std::string& volume, const std::string& other_volume) {
    const Ran ran =
        run({"qemu-img", "compare", "-f", format, "-F", other_format,
             path.front() == '/' ? path : seen(path, volume), seen(other_path, other_volume)});
    EXPECT_TRUE(ran.ok()) << ran.output;
}

void ConvertTest::replace_qemu_img(const std::string& convert) {
    tools_.qemu_img = local_ + "/qemu-img";
    {
        std::ofstream script(tools_.qemu_img);
        script << "#!/bin/sh\nif [ \"$1\" != convert ]; then exec /usr/bin/qemu-img \"$@\"; fi\n"
               << convert << '\n';
    }
    chmod(tools_.qemu_img.c_str(), 0755);
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const pid_t pid : all_processes())
        if (stat_field(pid, 4) == std::to_string(parent)) found.push_back(pid);
    return found;
}

ProcessTree ProcessTree::of(pid_t root) {
    ProcessTree tree;
    std::vector<pid_t> todo = {root};
    while (!todo.empty()) {
        const pid_t pid = todo.back();
        todo.pop_back();
        const std::string started = stat_field(pid, 22);
        if (started.empty() || !tree.started_.emplace(pid, started).second) continue;
        for (const pid_t child : children_of(pid)) todo.push_back(child);
    }
    return tree;
}

pid_t ProcessTree::find(const std::string& program) const {
    for (const auto& [pid, started] : started_)
        if (text_of("/proc/" + std::to_string(pid) + "/cmdline").starts_with(program)) return pid;
    return -1;
}

std::string ProcessTree::left() const {
    std::string text;
    for (const auto& [pid, started] : started_) {
        // One that is dead and has a parent that does not ask is no business of ours.
        if (stat_field(pid, 22) != started || stat_field(pid, 3) == "Z") continue;
        std::string command = text_of("/proc/" + std::to_string(pid) + "/cmdline");
        std::replace(command.begin(), command.end(), '\0', ' ');
        text += std::to_string(pid) + ": " + command + '\n';
    }
    return text;
}

bool ProcessTree::all_gone() const {
    return left().empty();
}

std::vector<pid_t> who_sees_mounts() {
    // Other labs of this machine may have conversions too: theirs are in other networks.
    struct stat ours {};
    stat("/proc/self/ns/net", &ours);
    std::vector<pid_t> found;
    for (const pid_t pid : all_processes()) {
        const std::string process = "/proc/" + std::to_string(pid);
        struct stat theirs {};
        if (stat((process + "/ns/net").c_str(), &theirs) != 0 || theirs.st_ino != ours.st_ino)
            continue;
        if (text_of(process + "/mountinfo").find(" - tmpfs sf-gluster ") != std::string::npos)
            found.push_back(pid);
    }
    return found;
}

}  // namespace sfg::test
