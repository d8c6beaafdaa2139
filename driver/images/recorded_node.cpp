// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/recorded_node.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "driver/images/recorded_gluster.hpp"

namespace sfg {
namespace {

using Type = NodeOptions::Type;

template <std::size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// Drivers of qemu (qapi/block-core.json, BlockdevDriver) by what they open.

// The file `filename`.
constexpr std::string_view kFileDrivers[] = {"file", "host_device", "host_cdrom", "io_uring"};

// Formats and filters: what is below them.
constexpr std::string_view kUpperDrivers[] = {"raw",
                                              "qcow2",
                                              "qcow",
                                              "qed",
                                              "vdi",
                                              "vmdk",
                                              "vpc",
                                              "vhdx",
                                              "luks",
                                              "parallels",
                                              "bochs",
                                              "cloop",
                                              "dmg",
                                              "throttle",
                                              "copy-on-read",
                                              "compress",
                                              "preallocate",
                                              "blkdebug",
                                              "blkverify",
                                              "blklogwrites",
                                              "blkreplay",
                                              "quorum",
                                              "replication",
                                              "copy-before-write",
                                              "snapshot-access"};

// Nothing that a gluster volume holds. What stands behind a server may well be a file of one; it is
// the server then that has it open.
constexpr std::string_view kElsewhereDrivers[] = {"nbd",
                                                  "http",
                                                  "https",
                                                  "ftp",
                                                  "ftps",
                                                  "tftp",
                                                  "ssh",
                                                  "nfs",
                                                  "rbd",
                                                  "iscsi",
                                                  "iser",
                                                  "nvme",
                                                  "null-co",
                                                  "null-aio",
                                                  "sheepdog",
                                                  "vxhs",
                                                  "nvme-io_uring",
                                                  "virtio-blk-vfio-pci",
                                                  "virtio-blk-vhost-user",
                                                  "virtio-blk-vhost-vdpa"};

// Members that are nodes: there a string is another node's name, which says nothing here.
constexpr std::string_view kChildren[] = {"file", "backing", "data-file", "image",       "raw",
                                          "test", "log",     "target",    "write-target"};

// Options of all nodes, or of those with the drivers file and gluster, which change nothing about
// what is read. Libvirt writes some of them.
constexpr std::string_view kHarmless[] = {
    "driver",      "node-name", "read-only",    "auto-read-only", "discard",
    "force-share", "cache",     "debug",        "detect-zeroes",  "logfile",
    "aio",         "locking",   "aio-max-batch"};

bool is_index(std::string_view name) {
    return name.find_first_not_of("0123456789") == std::string_view::npos;
}

bool has_only(const NodeOptions& node, std::initializer_list<std::string_view> more) {
    return std::all_of(node.members.begin(), node.members.end(), [&](const auto& member) {
        return is_one_of(member.first, kHarmless) ||
               std::find(more.begin(), more.end(), member.first) != more.end();
    });
}

// type=inet or tcp with host and port; type=unix with path, or socket.
std::optional<Server> server_of(const NodeOptions& options) {
    const auto type = options.string("type");
    Server server;
    if (type == "unix") {
        const auto path = options.string("path");
        const auto socket = options.string("socket");
        if (path.has_value() == socket.has_value() || options.members.size() != 2)
            return std::nullopt;
        server.socket = path ? *path : *socket;
        if (server.socket.empty()) return std::nullopt;
        return server;
    }
    const auto host = options.string("host");
    if ((type != "inet" && type != "tcp") || !host || host->empty()) return std::nullopt;
    server.host = *host;
    // qemu wants the port and libvirt does not; a number is as good as a string to qemu.
    const NodeOptions* port = options.find("port");
    if (options.members.size() != (port != nullptr ? 3u : 2u)) return std::nullopt;
    if (port == nullptr) return server;
    if (port->type != Type::string && port->type != Type::number) return std::nullopt;
    const char* const end = port->text.data() + port->text.size();
    const auto [stop, error] = std::from_chars(port->text.data(), end, server.port);
    if (error != std::errc() || stop != end || server.port < 0 || server.port > 65535)
        return std::nullopt;
    return server;
}

class NodeReader {
  public:
    NodeReader(int depth, RecordedName& into) : depth_(depth), into_(into) {}

    // Whether the node is one file, whole. `may_have_format`: a format may lie on it yet.
    bool read(const NodeOptions& node, bool may_have_format) {
        const auto driver = node.string("driver");
        if (!driver) {
            if (node.has("driver")) return unknown();
            return read_without_driver(node, may_have_format);
        }
        if (is_one_of(*driver, kElsewhereDrivers)) {
            into_.files.push_back({NamedFile::Kind::elsewhere});
            return false;
        }
        if (driver == "gluster") return read_gluster(node);
        if (is_one_of(*driver, kFileDrivers)) return read_file(node);
        if (!is_one_of(*driver, kUpperDrivers)) {
            read_children(node);
            return unknown();
        }
        if (may_have_format && (driver == "raw" || driver == "qcow2") && has_only(node, {"file"}) &&
            has_group(node, "file")) {
            into_.format = *driver;
            return read(*node.find("file"), false);
        }
        const std::size_t before = into_.files.size();
        // block/blkdebug.c and blkverify.c put these there, and take them: names like a command
        // line's.
        for (const char* name : {"x-image", "x-raw"})
            if (const auto opened = node.string(name))
                read_opened_name(*opened, depth_ + 1, into_);
            else if (node.has(name))
                unknown();
        if (const auto config = node.string("config"))
            into_.files.push_back(file_of_bare_name(*config));
        read_children(node);
        if (into_.files.size() == before) unknown();
        return false;
    }

  private:
    static bool has_group(const NodeOptions& node, std::string_view name) {
        const NodeOptions* member = node.find(name);
        return member != nullptr && member->type == Type::group;
    }

    bool unknown() {
        into_.files.push_back({});
        return false;
    }

    bool read_without_driver(const NodeOptions& node, bool may_have_format) {
        if (node.has("filename")) {
            const bool plain = read_file(node);
            // Of a node below another one. On top qemu wants a driver.
            return plain && !may_have_format;
        }
        // {"file":{...}}: what libvirt writes (qemuBlockGetBackingStoreString).
        if (may_have_format && has_only(node, {"file"}) && has_group(node, "file"))
            return read(*node.find("file"), false);
        const std::size_t before = into_.files.size();
        read_children(node);
        if (into_.files.size() == before) unknown();
        return false;
    }

    bool read_file(const NodeOptions& node) {
        const auto name = node.string("filename");
        if (!name) return unknown();
        // As it stands, also where it begins as with a protocol (bdrv_find_protocol without
        // allow_protocol_prefix).
        into_.files.push_back(file_of_bare_name(*name));
        const bool plain =
            into_.files.back().kind != NamedFile::Kind::unknown && has_only(node, {"filename"});
        // Who wrote a protocol may have meant one.
        if (has_protocol(*name)) read_opened_name(*name, depth_ + 1, into_);
        if (!plain) read_children(node);
        return plain;
    }

    bool read_gluster(const NodeOptions& node) {
        // "uri" is nobody's; who writes it means that.
        const auto filename = node.has("filename") ? node.string("filename") : node.string("uri");
        if (node.has("filename") || node.has("uri")) {
            // qemu refuses both at once, libvirt believes the URI.
            if (!filename || node.has("volume") || node.has("path")) return unknown();
            auto read = read_gluster_filename(*filename);
            into_.files.push_back(std::move(read.file));
            return read.plain && has_only(node, {"filename"});
        }
        const auto volume = node.string("volume");
        const auto path = node.string("path");
        if (!volume || !path) return unknown();
        bool plain = has_only(node, {"volume", "path", "server"}) && has_group(node, "server");
        std::vector<Server> servers;
        if (has_group(node, "server")) {
            const NodeOptions& list = *node.find("server");
            for (std::size_t i = 0; i < list.members.size(); ++i) {
                const NodeOptions* element = list.find(std::to_string(i));
                const auto server = element != nullptr ? server_of(*element) : std::nullopt;
                if (server)
                    servers.push_back(*server);
                else
                    plain = false;
            }
        }
        NamedFile file = file_of_gluster(*volume, *path, std::move(servers));
        plain = plain && file.kind == NamedFile::Kind::gluster && !file.path.empty();
        into_.files.push_back(std::move(file));
        if (!plain) read_children(node);
        return plain;
    }

    // The nodes among the members of `node`, also those that later versions may have.
    void read_children(const NodeOptions& node) {
        for (const auto& [name, member] : node.members) {
            const bool child = is_one_of(name, kChildren);
            if (member.type == Type::group) {
                if (child || member.has("driver") || member.has("filename") || member.has("file"))
                    read(member, false);
                else
                    read_children(member);
                continue;
            }
            // {"backing":null}, once "", is that of an image whose base is left out.
            const bool none =
                member.type == Type::null || (member.type == Type::string && member.text.empty());
            if (name == "backing" && none) continue;
            if (child || is_index(name)) unknown();
        }
    }

    const int depth_;
    RecordedName& into_;
};

}  // namespace

void read_node(const NodeOptions& root, int depth, RecordedName& into) {
    const bool plain = NodeReader(depth, into).read(root, true);
    into.plain = plain;
}

}  // namespace sfg
