// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cerrno>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "hooks/command/subcommands.hpp"
#include "hooks/templates/documents.hpp"

namespace sfg::command {
namespace {

using hooks::Document;

struct Options {
    hooks::TemplateRequest request;
    std::string templates = SFG_TEMPLATES_DIR;
};

Result<std::string> read_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) return Error::from_errno(errno, "cannot read " + path);
    // Fails for a directory, which can be opened, and for an empty file.
    std::ostringstream text;
    text << file.rdbuf();
    if (!text) return Error(ErrorKind::io, "there is no template in " + path);
    return text.str();
}

Result<int> run(Document document, const Options& options) {
    const auto text = hooks::make_document(document, options.request, [&](const std::string& file) {
        return read_file(options.templates + "/" + file);
    });
    if (text) {
        std::cout << *text;
        return 0;
    }
    if (text.error().kind() != ErrorKind::invalid) return text.error();
    say(text.error().message());
    return 2;
}

void add_place(CLI::App* app, hooks::TemplateRequest& request) {
    app->add_option("--volume", request.volume,
                    "the gluster volume; needed, but for disks with --access file");
    app->add_option("--host", request.hosts,
                    "a server of the gluster volume: host, host:port or [IPv6]:port; again for "
                    "each; one is needed where the volume is")
        ->allow_extra_args(false);
    app->add_option("--access", request.access,
                    "network: over gfapi; file: over a FUSE mount of the volume")
        ->check(CLI::IsMember({"network", "file"}))
        ->capture_default_str();
    app->add_option("--mount", request.mount,
                    "needed with --access file: where the volume is mounted, such as "
                    "/srv/shakenfist");
}

void add_format(CLI::App* app, hooks::TemplateRequest& request) {
    app->add_option("--format", request.format, "of the image")
        ->check(CLI::IsMember({"qcow2", "raw"}))
        ->capture_default_str();
}

void add_pool_options(CLI::App* app, hooks::TemplateRequest& request) {
    add_place(app, request);
    app->add_option("--name", request.name,
                    "of the pool; else that of the volume, with -fuse after it for --access file");
}

void add_volume_options(CLI::App* app, hooks::TemplateRequest& request) {
    app->add_option("--path,--image", request.paths,
                    "needed: its name in the pool, such as image_cache/debian.v001")
        ->allow_extra_args(false);
    app->add_option(
        "--size", request.size,
        "such as 8G; needed but for overlays, which are as large as their base else, and "
        "--for-upload");
    add_format(app, request);
    app->add_option("--base", request.base,
                    "makes an overlay: its base, by the name in the pool, a gluster:// URI or a "
                    "local path");
    app->add_option("--base-format", request.base_format, "of the base")
        ->check(CLI::IsMember({"qcow2", "raw"}))
        ->capture_default_str();
    app->add_flag("--for-upload", request.for_upload,
                  "an image that virsh vol-upload will fill, which brings its size");
}

void add_disk_options(CLI::App* app, hooks::TemplateRequest& request) {
    add_place(app, request);
    app->add_option("--path,--image", request.paths, "needed: of the image, from the volume's root")
        ->allow_extra_args(false);
    add_format(app, request);
    app->add_option("--target", request.target, "what the guest sees it as")->capture_default_str();
}

void add_domain_options(CLI::App* app, hooks::TemplateRequest& request) {
    add_place(app, request);
    app->add_option("--name", request.name, "needed: of the guest");
    app->add_option("--uuid", request.uuid, "of the guest; else libvirt chooses one");
    app->add_option("--path,--image", request.paths,
                    "of a disk's image, from the volume's root; again for each, vda first. Without "
                    "it, instances/UUID/vda and vdb of the --uuid, which is needed then")
        ->allow_extra_args(false);
    add_format(app, request);
    app->add_option("--memory", request.memory, "such as 512M")->capture_default_str();
    app->add_option("--cpus", request.cpus, "how many")->capture_default_str();
    app->add_option("--type", request.type, "kvm, or qemu where there is no /dev/kvm")
        ->check(CLI::IsMember({"kvm", "qemu"}))
        ->capture_default_str();
}

struct Kind {
    Document document;
    const char* name;
    const char* help;
    void (*add_options)(CLI::App*, hooks::TemplateRequest&);
};

constexpr Kind kKinds[] = {
    {Document::pool, "pool", "A pool, for virsh pool-define", add_pool_options},
    {Document::volume, "volume",
     "A volume, for virsh vol-create: blank, an overlay, or to be "
     "uploaded to",
     add_volume_options},
    {Document::disk, "disk", "A disk of a guest, for virsh attach-device", add_disk_options},
    {Document::domain, "domain", "A guest, for virsh define", add_domain_options},
};

}  // namespace

Subcommand add_template(CLI::App& program) {
    auto options = std::make_shared<Options>();
    CLI::App* const app = program.add_subcommand(
        "template", "Writes a document for virsh to standard output, from a template");
    app->require_subcommand(1);
    for (const Kind& kind : kKinds) {
        CLI::App* const one = app->add_subcommand(kind.name, kind.help);
        kind.add_options(one, options->request);
        one->add_option("--templates", options->templates, "the folder of the templates")
            ->capture_default_str();
    }
    return {app, [app, options]() -> Result<int> {
                for (const Kind& kind : kKinds)
                    if (app->got_subcommand(kind.name)) return run(kind.document, *options);
                return 2;
            }};
}

}  // namespace sfg::command
