// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/check_job.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"

namespace sfg {
namespace {

// Drivers of formats. qemu has drivers of the same kind that reach elsewhere, such as nbd.
constexpr std::array<std::string_view, 12> kReadable = {"raw",       "qcow2", "qcow", "qed",
                                                        "vmdk",      "vdi",   "vhdx", "vpc",
                                                        "parallels", "cloop", "dmg",  "bochs"};
constexpr std::array<std::string_view, 9> kWritable = {"raw", "qcow2", "qcow", "qed",      "vmdk",
                                                       "vdi", "vhdx",  "vpc",  "parallels"};

// Options that would have qemu-img open or record another file, or ask for a secret.
bool names_a_file(std::string_view option) {
    return option.starts_with("backing") || option.starts_with("data_file") ||
           option.starts_with("encrypt") || option == "size";
}

bool has_zero_byte(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

bool is_gfid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-'
                 : std::string_view("0123456789abcdef").find(text[i]) == std::string_view::npos)
            return false;
    }
    return true;
}

Result<void> check_file(const ConvertJob& job, const ConvertFile& file) {
    const std::string name = "'" + escaped(file.path) + "'";
    if (file.path.empty() || has_zero_byte(file.path))
        return Error(ErrorKind::invalid, EINVAL, "a file of the conversion has no name");
    if (file.descriptor && (file.volume || *file.descriptor < 0))
        return Error(ErrorKind::invalid, EINVAL, name + " comes with a descriptor that is none");
    if (!file.volume) {
        if (file.path.front() != '/')
            return Error(ErrorKind::invalid, EINVAL, name + " is not an absolute path");
        return {};
    }
    if (*file.volume >= job.volumes.size())
        return Error(ErrorKind::invalid, EINVAL, name + " is in no volume of the conversion");
    const auto parts = path_components(file.path);
    if (file.path.front() == '/' || parts.empty() ||
        std::any_of(parts.begin(), parts.end(),
                    [](const std::string& part) { return part == "." || part == ".."; }))
        return Error(ErrorKind::invalid, EINVAL, name + " is no path below a volume's root");
    if (!is_gfid(file.gfid))
        return Error(ErrorKind::invalid, EINVAL,
                     name + " comes without gluster's identity of the file");
    return {};
}

template <typename Formats>
Result<void> check_format(const Formats& formats, const std::string& format, const char* verb) {
    if (std::find(formats.begin(), formats.end(), format) == formats.end())
        return Error(ErrorKind::unsupported,
                     std::string(verb) + " the format '" + escaped(format) + "' is not supported");
    return {};
}

}  // namespace

Result<void> check_job(const ConvertJob& job) {
    for (const auto& volume : job.volumes) {
        if (volume.volume.empty() || has_zero_byte(volume.volume) || volume.servers.empty())
            return Error(ErrorKind::invalid, EINVAL, "a gluster volume has no name or no server");
        for (const auto& server : volume.servers)
            if (server.host.empty() || has_zero_byte(server.host))
                return Error(ErrorKind::invalid, EINVAL,
                             "a server of gluster volume '" + volume.volume + "' has no name");
    }
    if (job.source.empty())
        return Error(ErrorKind::invalid, EINVAL, "there is nothing to convert from");
    for (const auto& node : job.source) {
        SFG_TRY(check_format(kReadable, node.format, "converting from"));
        SFG_TRY(check_file(job, node.file));
    }
    SFG_TRY(check_format(kWritable, job.target.format, "converting to"));
    SFG_TRY(check_file(job, job.target.file));
    if (job.target.file.descriptor)
        return Error(ErrorKind::invalid, EINVAL, "only what is read is handed over open");
    for (const auto& node : job.target.bases) {
        SFG_TRY(check_format(kReadable, node.format, "a base of"));
        SFG_TRY(check_file(job, node.file));
    }
    if (job.target.made ? !job.target.options.empty() : !job.target.bases.empty())
        return Error(ErrorKind::invalid, EINVAL,
                     "options are for a target that is to be made, bases for one that is made");
    for (const auto& [name, value] : job.target.options) {
        if (name.empty() || names_a_file(name) || has_zero_byte(name) || has_zero_byte(value) ||
            name.find_first_of("=,") != std::string::npos)
            return Error(ErrorKind::invalid, EINVAL,
                         "the option '" + escaped(name) + "' is not for a conversion");
    }
    return {};
}

}  // namespace sfg
