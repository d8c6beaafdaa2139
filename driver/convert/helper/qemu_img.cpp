// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/qemu_img.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "driver/convert/qemu_output.hpp"

namespace sfg {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::string json_of(std::span<const OpenImage> chain) {
    std::vector<QemuNode> nodes;
    for (const auto& image : chain)
        nodes.push_back({image.format, image.file.block_device ? "host_device" : "file",
                         image.file.descriptor_path()});
    return qemu_json(nodes);
}

// Measured: 0.6 GiB of addresses for a chain of nine with clusters of 2 MiB. The rest is for many
// I/O threads with their stacks, and for the caches of tables of longer chains.
std::uint64_t memory_for(std::size_t images) {
    return 2 * kGiB + images * 64 * kMiB;
}

// Decompressing takes 5 to 20 s per GiB: ten times that, and ten minutes for small images.
std::uint64_t seconds_for(std::uint64_t bytes) {
    return 600 + 100 * (bytes / kGiB);
}

std::string how_it_ended(int status, std::uint64_t cpu_seconds) {
    if (!WIFSIGNALED(status)) return {};
    const int signal = WTERMSIG(status);
    if (signal == SIGKILL || signal == SIGXCPU)
        return "qemu-img was killed: more than " + std::to_string(cpu_seconds) +
               " seconds of processor time, or by somebody else";
    return "qemu-img crashed (signal " + std::to_string(signal) + ")";
}

}  // namespace

QemuImg::QemuImg(std::string program, std::string scratch, std::optional<CageUser> user,
                 Signs signs)
    : program_(std::move(program)),
      scratch_(std::move(scratch)),
      user_(std::move(user)),
      signs_(std::move(signs)) {}

Result<CagedRun> QemuImg::run(const std::string& doing, const std::vector<const OpenChain*>& chains,
                              const std::vector<const OpenFile*>& more, std::uint64_t bytes,
                              std::vector<std::string> arguments,
                              const std::function<void(std::string_view)>& output) {
    Cage cage;
    cage.program = program_;
    cage.scratch = scratch_;
    cage.user = user_;
    cage.files = more;
    // qemu's words say descriptors, the user knows names.
    std::vector<std::pair<std::string, std::string>> names;
    for (const OpenChain* const chain : chains) {
        names.emplace_back("'" + json_of(*chain) + "'", chain->front().file.name);
        for (const auto& image : *chain) cage.files.push_back(&image.file);
    }
    for (const OpenFile* const file : cage.files) {
        bytes += file->bytes;
        names.emplace_back("'" + file->descriptor_path() + "'", file->name);
        // Else fd/1 would be put in for the beginning of fd/12.
        names.emplace_back(file->descriptor_path() + ":", file->name + ":");
    }
    cage.memory_bytes = memory_for(cage.files.size());
    cage.cpu_seconds = seconds_for(bytes);
    arguments.insert(arguments.begin(), "qemu-img");
    SFG_TRY_ASSIGN(CagedRun ended, run_caged(cage, arguments, output, signs_.alive));
    if (ended.status == 0) return ended;
    const std::string signal = how_it_ended(ended.status, cage.cpu_seconds);
    if (!signal.empty()) ended.errors += (ended.errors.empty() ? "" : "\n") + signal;
    return qemu_error(doing, ended.errors, names);
}

Result<std::uint64_t> QemuImg::capacity(const OpenChain& chain) {
    const std::span<const OpenImage> top(chain.data(), 1);
    SFG_TRY_ASSIGN(const CagedRun ended, run("reading " + chain.front().file.name, {&chain}, {}, 0,
                                             {"info", json_of(top)}, [](auto) {}));
    const auto bytes = virtual_size(ended.output);
    if (!bytes)
        return Error(ErrorKind::io,
                     "qemu-img does not tell the capacity of " + chain.front().file.name);
    return *bytes;
}

Result<void> QemuImg::create(const std::string& format,
                             const std::vector<std::pair<std::string, std::string>>& options,
                             std::uint64_t capacity, const OpenFile& into) {
    std::vector<std::string> words = {"create", "-q", "-f", format};
    std::string list;
    for (const auto& [name, value] : options) {
        list += (list.empty() ? "" : ",") + name + '=';
        for (const char c : value) list += c == ',' ? std::string(",,") : std::string(1, c);
    }
    if (!list.empty()) words.insert(words.end(), {"-o", list});
    words.push_back(into.descriptor_path());
    words.push_back(std::to_string(capacity));
    const auto made = run("making an empty image", {}, {&into}, 0, words, [](auto) {});
    if (!made) return made.error();
    return {};
}

Result<void> QemuImg::convert(const OpenChain& source, const OpenChain& target,
                              std::uint64_t capacity) {
    // -t: the default for a target never flushes. -n: the target is there.
    std::vector<std::string> words = {"convert",   "-p", "-m",        "8", "-t",
                                      "writeback", "-T", "writeback", "-n"};
    // What a target without bases has not written reads as zeros, so zeros stay holes.
    if (target.size() == 1) words.push_back("--target-is-zero");
    // Out of order is faster, and in an image with tables it would scatter them.
    if (target.front().format == "raw") words.push_back("-W");
    words.insert(words.end(), {"-O", target.front().format, json_of(source), json_of(target)});
    QemuProgress percent;
    const auto done =
        run("converting", {&source, &target}, {}, capacity, words, [&](std::string_view piece) {
            if (const auto value = percent.feed(piece)) signs_.progress(*value);
        });
    if (!done) return done.error();
    return {};
}

Result<void> QemuImg::check(const OpenImage& image) {
    // Its own tables only: bases need not be opened.
    const std::span<const OpenImage> alone(&image, 1);
    const auto done = run("checking the result", {}, {&image.file}, 0,
                          {"check", "-q", json_of(alone)}, [](auto) {});
    if (!done) return done.error();
    return {};
}

}  // namespace sfg
