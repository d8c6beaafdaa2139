// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/recorded_name.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "driver/images/node_options.hpp"
#include "driver/images/recorded_gluster.hpp"
#include "driver/images/recorded_node.hpp"

namespace sfg {
namespace {

// qcow2 has room for 1023 bytes, other formats for a cluster or a line.
constexpr std::size_t kLongestName = 65536;

// blkdebug:CONFIG:blkdebug:CONFIG:... has no end in qemu.
constexpr int kDeepest = 8;

// Protocols behind which no file of a gluster volume is opened (.protocol_name in qemu's block/*.c,
// and those of older versions). What else has a ':' before its first '/' may be a file's name that
// somebody will make sense of.
constexpr std::string_view kElsewhere[] = {
    "nbd",     "nbd+tcp",  "nbd+unix", "nbds", "nbds+tcp",     "http",         "https", "ftp",
    "ftps",    "tftp",     "ssh",      "nfs",  "rbd",          "iscsi",        "iser",  "nvme",
    "null-co", "null-aio", "sheepdog", "vxhs", "sheepdog+tcp", "sheepdog+unix"};

// Those of block/file-posix.c and blkio.c: the rest is the name of a file.
constexpr std::string_view kFile[] = {"file", "host_device", "host_cdrom", "io_uring"};

bool lowered(std::string& text) {
    bool changed = false;
    for (char& c : text) {
        if (c < 'A' || c > 'Z') continue;
        c = static_cast<char>(c - 'A' + 'a');
        changed = true;
    }
    return changed;
}

// With a NUL, programs differ about where it ends.
bool can_be_a_name(const std::string& recorded) {
    return !recorded.empty() && recorded.size() <= kLongestName &&
           recorded.find('\0') == std::string::npos;
}

bool unknown(RecordedName& into) {
    into.files.push_back({});
    return false;
}

// blkdebug:CONFIG:IMAGE, CONFIG may be empty; blkverify:RAW:IMAGE (block/blkdebug.c, blkverify.c).
bool read_two_names(const std::string& rest, bool first_may_be_empty, int depth,
                    RecordedName& into) {
    const auto colon = rest.find(':');
    if (colon == std::string::npos) return unknown(into);
    const std::string first = rest.substr(0, colon);
    if (!first.empty() || !first_may_be_empty) read_opened_name(first, depth + 1, into);
    read_opened_name(rest.substr(colon + 1), depth + 1, into);
    return false;
}

// What has a protocol; whether it is plain.
bool read_protocol(const std::string& name, int depth, RecordedName& into) {
    const auto colon = name.find(':');
    const std::string protocol = name.substr(0, colon);
    const std::string rest = name.substr(colon + 1);
    if (protocol == "json") {
        const auto options = parse_node_options(rest);
        if (!options) return unknown(into);
        read_node(*options, depth, into);
        return into.plain;
    }
    // (bdrv_parse_filename_strip_prefix: the rest has no protocol, whatever it looks like.)
    if (std::find(std::begin(kFile), std::end(kFile), protocol) != std::end(kFile)) {
        into.files.push_back(file_of_bare_name(rest));
        return into.files.back().kind != NamedFile::Kind::unknown;
    }
    if (protocol == "blkdebug") return read_two_names(rest, true, depth, into);
    if (protocol == "blkverify") return read_two_names(rest, false, depth, into);
    if (std::find(std::begin(kElsewhere), std::end(kElsewhere), protocol) != std::end(kElsewhere)) {
        into.files.push_back({NamedFile::Kind::elsewhere});
        return false;
    }
    // Neither qemu nor libvirt takes a scheme in capitals, and nobody writes one who means
    // something else.
    std::string scheme = protocol;
    const bool capitals = lowered(scheme);
    if (scheme == "gluster" || scheme.starts_with("gluster+")) {
        auto read =
            read_gluster_uri(rest, scheme == "gluster" ? std::string_view("tcp")
                                                       : std::string_view(scheme).substr(8));
        into.files.push_back(std::move(read.file));
        return read.plain && !capitals;
    }
    return unknown(into);
}

}  // namespace

void read_opened_name(const std::string& name, int depth, RecordedName& into) {
    if (depth > kDeepest || name.empty()) {
        unknown(into);
    } else if (has_protocol(name)) {
        RecordedName read;  // whose format is not that of `into`
        read_protocol(name, depth, read);
        std::move(read.files.begin(), read.files.end(), std::back_inserter(into.files));
    } else {
        into.files.push_back(file_of_bare_name(name));
    }
}

RecordedName read_recorded_name(const std::string& recorded) {
    RecordedName read;
    if (!can_be_a_name(recorded)) {
        unknown(read);
    } else if (has_protocol(recorded)) {
        read.plain = read_protocol(recorded, 0, read);
    } else if (recorded.starts_with('/')) {
        read.files.push_back(file_of_bare_name(recorded));
        read.plain = read.files.front().kind != NamedFile::Kind::unknown;
    } else {
        read.files.push_back({NamedFile::Kind::relative, recorded});
        read.plain = true;
        // A qemu that opened the image by a gluster URI puts the name behind the directory's
        // (block.c, path_combine) and parses the whole as a URI.
        const std::string in_uri = path_at_end_of_uri(recorded);
        if (in_uri != recorded && !in_uri.empty())
            read.files.push_back({NamedFile::Kind::relative, in_uri});
    }
    if (!read.plain) read.format.clear();
    return read;
}

RecordedName read_data_file_name(const std::string& recorded) {
    RecordedName read = read_recorded_name(recorded);
    if (!can_be_a_name(recorded)) return read;
    if (has_protocol(recorded)) {
        read.files.push_back({NamedFile::Kind::relative, recorded});
    } else if (read.files.front().kind == NamedFile::Kind::relative) {
        read.files.push_back({NamedFile::Kind::working_directory, recorded});
    } else {
        return read;
    }
    read.plain = false;
    read.format.clear();
    return read;
}

bool has_protocol(const std::string& name) {
    const auto at = name.find_first_of(":/");
    return at != std::string::npos && name[at] == ':';
}

}  // namespace sfg
