// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/work.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "driver/convert/helper/gluster_mount.hpp"
#include "driver/convert/helper/namespaces.hpp"
#include "driver/convert/helper/program.hpp"
#include "driver/convert/helper/target_file.hpp"
#include "driver/core/log.hpp"

namespace sfg {
namespace {

// All files of the job. The target's chain has the target first.
struct Files {
    OpenChain source;
    OpenChain target;
};

// Which files of the job are opened: those of this host before anything is mounted over its
// directories, those in gluster once it is mounted.
enum class Part { local, in_volumes };

// `nodes` into `chain`, which has a place for each.
Result<void> open_part(Part part, const std::vector<ConvertNode>& nodes, Access top_access,
                       const std::vector<GlusterMount>& mounts, OpenChain& chain) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const ConvertFile& file = nodes[i].file;
        if (file.volume.has_value() != (part == Part::in_volumes)) continue;
        const Access access = i == 0 ? top_access : Access::read;
        chain[i].format = nodes[i].format;
        auto open = [&] {
            if (!file.volume) return open_local(file, access);
            const GlusterMount& mount = mounts[*file.volume];
            return open_in_volume(access == Access::read ? mount.read_only_root() : mount.root(),
                                  file, access);
        };
        SFG_TRY_ASSIGN(chain[i].file, open());
    }
    return {};
}

Result<std::vector<GlusterMount>> mount_volumes(const HelperJob& job, const std::string& place) {
    const auto deadline = std::chrono::steady_clock::now() + job.tools.mount_limit;
    std::vector<GlusterMount> mounts;
    for (std::size_t i = 0; i < job.job.volumes.size(); ++i) {
        const std::string number = std::to_string(i);
        SFG_TRY_ASSIGN(GlusterMount one,
                       GlusterMount::start(job.tools.glusterfs, job.job.volumes[i],
                                           place + "/volume-" + number, place + "/log-" + number));
        mounts.push_back(std::move(one));
    }
    for (auto& mount : mounts) SFG_TRY(mount.wait(deadline));
    return mounts;
}

// A file of memory for qemu-img to make an empty image in.
Result<OpenFile> scratch_file(const std::string& place) {
    const std::string directory = place + "/scratch";
    // Tables of a preallocated image: 160 MiB for each TiB with clusters of 64 KiB.
    if (mkdir(directory.c_str(), 0700) != 0 ||
        mount("sf-gluster", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=0700,size=1g") != 0)
        return Error::from_errno(errno, "cannot mount a tmpfs for a new image");
    OpenFile file;
    file.fd.reset(
        open((directory + "/image").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    // No other process sees it, and the one in the cage may be anybody.
    if (!file.fd.ok() || fchmod(file.fd.get(), 0666) != 0)
        return Error::from_errno(errno, "cannot make a file for a new image");
    file.writing = true;
    file.name = "the new image";
    return file;
}

// An empty image in the target's file. By way of a file that nobody has locked: qemu-img cannot be
// told to make an image without locking.
Result<void> make_target(QemuImg& qemu, const ConvertTarget& wanted, const OpenFile& target,
                         std::uint64_t capacity, const std::string& place, const Signs& signs) {
    if (target.bytes != 0)
        return Error(ErrorKind::invalid, EINVAL,
                     target.name + " is to become an image and is not empty");
    auto options = wanted.options;
    bool reserve = false;
    const auto preallocation = std::find_if(options.begin(), options.end(), [](const auto& option) {
        return option.first == "preallocation";
    });
    if (preallocation != options.end() && (wanted.format == "raw" || wanted.format == "qcow2") &&
        (preallocation->second == "falloc" || preallocation->second == "full")) {
        // Of the target's storage, not of the memory it is made in.
        reserve = true;
        preallocation->second = wanted.format == "raw" ? "off" : "metadata";
    }
    if (wanted.format == "raw") {
        for (const auto& [name, value] : options)
            if (name != "preallocation" || value != "off")
                return Error(ErrorKind::unsupported,
                             "raw images do not know the option " + escaped(name + "=" + value));
        SFG_TRY(set_length(target, capacity));
    } else {
        SFG_TRY_ASSIGN(const OpenFile scratch, scratch_file(place));
        SFG_TRY(qemu.create(wanted.format, options, capacity, scratch));
        SFG_TRY(copy_sparse(scratch, target, signs.alive));
    }
    if (reserve) SFG_TRY(reserve_all(target, signs.alive));
    return {};
}

Result<void> convert_open_files(const HelperJob& job, Files files, const std::string& place,
                                const Signs& signs) {
    std::vector<const OpenFile*> all;
    for (const OpenChain* const chain : {&files.source, &files.target})
        for (const auto& image : *chain) all.push_back(&image.file);
    const std::string cage = place + "/cage";
    if (mkdir(cage.c_str(), 0700) != 0) return Error::from_errno(errno, "cannot make the cage");

    const ConvertTarget& wanted = job.job.target;
    OpenImage& target = files.target.front();
    QemuImg qemu(job.tools.qemu_img, cage, find_user(job.tools.users, all), signs);
    SFG_TRY_ASSIGN(const std::uint64_t capacity, qemu.capacity(files.source));
    if (!wanted.made) SFG_TRY(make_target(qemu, wanted, target.file, capacity, place, signs));
    SFG_TRY(qemu.convert(files.source, files.target, capacity));
    if (wanted.format == "qcow2") {
        SFG_TRY(pad_qcow2(target.file));
        SFG_TRY(qemu.check(target));
    }
    return finish(std::move(target.file));
}

}  // namespace

Result<void> work(const HelperJob& job, const Signs& signs) {
    SFG_TRY(need_program(job.tools.qemu_img, "qemu-utils"));
    if (!job.job.volumes.empty()) SFG_TRY(need_program(job.tools.glusterfs, "glusterfs-client"));

    std::vector<ConvertNode> target = job.job.target.bases;
    target.insert(target.begin(), ConvertNode{job.job.target.format, job.job.target.file});
    Files files;
    files.source.resize(job.job.source.size());
    files.target.resize(target.size());
    std::vector<GlusterMount> mounts;
    SFG_TRY(open_part(Part::local, job.job.source, Access::read, mounts, files.source));
    SFG_TRY(open_part(Part::local, target, Access::read_write, mounts, files.target));

    SFG_TRY_ASSIGN(const std::string place, make_private_place());
    HelperJob kept = job;
    SFG_TRY_ASSIGN(kept.tools.qemu_img, keep_program(place, job.tools.qemu_img));
    if (!job.job.volumes.empty()) {
        SFG_TRY_ASSIGN(kept.tools.glusterfs, keep_program(place, job.tools.glusterfs));
    }
    SFG_TRY(hide_tmp());
    SFG_TRY_ASSIGN(mounts, mount_volumes(kept, place));
    SFG_TRY(open_part(Part::in_volumes, job.job.source, Access::read, mounts, files.source));
    SFG_TRY(open_part(Part::in_volumes, target, Access::read_write, mounts, files.target));
    signs.alive();
    // A device would show what stood on it where the source has zeros.
    if (files.target.front().file.block_device)
        return Error(ErrorKind::invalid, EINVAL,
                     files.target.front().file.name +
                         " is a block device, and no file to write an image to");

    SFG_TRY(convert_open_files(kept, std::move(files), place, signs));
    for (auto& mount : mounts) mount.stop();
    return {};
}

}  // namespace sfg
