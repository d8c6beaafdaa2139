// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/gluster_support.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "driver/core/log.hpp"
#include "hooks/host/answer_cache.hpp"
#include "hooks/host/trusted_program.hpp"
#include "hooks/host/unprivileged_run.hpp"

namespace sfg::hooks {
namespace {

constexpr std::chrono::milliseconds kLimit{5000};
constexpr std::chrono::seconds kNoFor{300};

// An image that is nowhere, so that nobody is asked.
constexpr char kNode[] =
    "driver=gluster,node-name=x,volume=v,path=p,server.0.type=unix,server.0.path=/nonexistent";

GlusterSupport ask(const std::string& program) {
    auto unknown = [](const std::string& why) {
        return GlusterSupport{GlusterSupport::Answer::unknown, "", why};
    };
    const auto said = run_unprivileged(
        {program, "-display", "none", "-nodefaults", "-M", "none", "-blockdev", kNode}, "", kLimit);
    if (!said) return unknown(said.error().message());
    GlusterSupport support{read_complaint(said->errors), "", ""};
    if (support.answer == GlusterSupport::Answer::unknown)
        return unknown(program + " said: " + escaped(said->errors.substr(0, 200)));
    if (support.answer == GlusterSupport::Answer::no)
        if (const auto version = run_unprivileged({program, "--version"}, "", kLimit))
            support.version = read_version(version->output);
    return support;
}

std::string as_text(const GlusterSupport& support) {
    if (support.answer == GlusterSupport::Answer::yes) return "yes";
    return "no " + support.version;
}

GlusterSupport from_text(const std::string& text) {
    if (text == "yes") return {GlusterSupport::Answer::yes, "", ""};
    return {GlusterSupport::Answer::no, text.substr(std::min<std::size_t>(3, text.size())), ""};
}

}  // namespace

GlusterSupport::Answer read_complaint(const std::string& said) {
    auto has = [&](const char* words) { return said.find(words) != std::string::npos; };
    // Without the driver's module; and since 11.1, whose schema does not know the word.
    if (has("Unknown driver 'gluster'") || has("'driver' does not accept value 'gluster'"))
        return GlusterSupport::Answer::no;
    // block/gluster.c, qemu_gluster_glfs_init.
    if (has("Gluster connection") || has("hint: failed on socket /nonexistent"))
        return GlusterSupport::Answer::yes;
    return GlusterSupport::Answer::unknown;
}

std::string read_version(const std::string& said) {
    constexpr std::string_view kWords = "version ";
    const auto found = said.find(kWords);
    if (found == std::string::npos) return "";
    const auto begin = found + kWords.size();
    const auto end = said.find_first_not_of("0123456789.", begin);
    return said.substr(begin, std::min(end, begin + 20) - begin);
}

std::string driver_package(const std::string& version, const std::string& os_release) {
    int major = 0, minor = 0;
    if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) == 2 &&
        (major > 11 || (major == 11 && minor >= 1)))
        return "";
    auto is = [&](const std::string& id) {
        return ("\n" + os_release).find("\nID=" + id + "\n") != std::string::npos;
    };
    if (is("debian")) return "install the package qemu-block-extra";
    // In universe, from 24.04 on.
    if (is("ubuntu")) return "install the package qemu-block-supplemental";
    return "install the package that has qemu's block-gluster.so";
}

GlusterSupport gluster_support(const std::string& path) {
    const auto program = trusted_program(path);
    if (!program)
        return {GlusterSupport::Answer::unknown, "",
                "it was not asked: " + program.error().message()};
    AnswerCache cache("/run/sf-gluster/emulators");
    const std::string state = emulator_state(*program);
    if (const auto answer = cache.find(state)) {
        const auto support = from_text(*answer);
        // What mends a "no" may be where nobody looks: a start is not refused for long by an old
        // one.
        if (support.answer == GlusterSupport::Answer::yes || cache.find(state, kNoFor))
            return support;
    }
    const auto support = ask(*program);
    if (support.answer != GlusterSupport::Answer::unknown) cache.keep(state, as_text(support));
    return support;
}

}  // namespace sfg::hooks
