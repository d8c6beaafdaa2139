// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/chains/chain.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "driver/core/local_file.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/connections.hpp"
#include "driver/images/inspect.hpp"
#include "driver/images/recorded_name.hpp"
#include "driver/pools/known_pools.hpp"
#include "driver/pools/names.hpp"

namespace sfg {
namespace {

constexpr std::size_t kDeepestChain = 200;

// What may be read by qemu-img: formats that lead to no other file but a base, which it is given
// by us. (The prober calls ISO images "iso"; to qemu they are raw.)
constexpr std::array kReadable = {"raw", "qcow2", "qcow", "qed", "vdi", "vpc", "vmdk"};

Result<std::string> readable_format(const std::string& format) {
    if (format == "iso") return std::string("raw");
    if (std::find(kReadable.begin(), kReadable.end(), format) != kReadable.end()) return format;
    return Error(ErrorKind::unsupported, "images of the format '" + format + "' are not read here");
}

// A VMDK that is or holds a text may name any file of the host as an extent (qemu's block/vmdk.c,
// vmdk_open_desc_file). The one kind that has its data in itself begins with "KDMV" and says how
// large it is: behind a size of 0 qemu looks for the text.
Result<void> check_vmdk(ByteSource& file) {
    std::array<std::byte, 20> start;
    SFG_TRY_ASSIGN(const std::size_t got, file.read_at(0, start));
    constexpr std::array kMagic = {std::byte{'K'}, std::byte{'D'}, std::byte{'M'}, std::byte{'V'}};
    const bool sparse =
        got == start.size() && std::equal(kMagic.begin(), kMagic.end(), start.begin());
    const bool has_capacity =
        std::any_of(start.begin() + 12, start.end(), [](std::byte b) { return b != std::byte{0}; });
    if (sparse && has_capacity) return {};
    return Error(ErrorKind::unsupported,
                 "it is a VMDK with its data in other files, which are not opened");
}

Result<void> check_readable(ByteSource& file, const ChainImage& image) {
    const ImageInfo& info = image.info;
    if (!info.damage.empty()) return Error(ErrorKind::corrupt, info.damage);
    if (info.encryption != ImageInfo::Encryption::none)
        return Error(ErrorKind::unsupported, "it is encrypted");
    if (info.external_data)
        return Error(ErrorKind::unsupported,
                     "it keeps its data in an external file, which is not opened");
    if (info.claimed_backing)
        return Error(ErrorKind::unsupported,
                     "it names a base, '" + escaped(*info.claimed_backing) +
                         "', which is not opened for an image that was uploaded as " + info.format);
    if (image.format == "vmdk") return check_vmdk(file);
    return {};
}

// Another cluster may have a volume of the same name.
bool in_a_pool(const Place& place) {
    for (const auto& pool : KnownPools::instance().all()) {
        if (pool.address.volume != place.connection->volume() ||
            !is_below(place.path, pool.directory))
            continue;
        const auto connection =
            Connections::instance().get(pool.address, settings().connect_timeout);
        if (connection && (*connection)->volume_id() == place.connection->volume_id()) return true;
    }
    return false;
}

// The directory of the configuration that has `path`, and the path below it.
std::optional<std::pair<std::string, std::string>> base_directory(const std::string& path) {
    const auto wanted = normalized(path);
    if (!wanted) return std::nullopt;
    for (const auto& directory : settings().local_base_directories) {
        const auto normal = normalized(directory);
        if (normal && !normal->empty() && is_below(*wanted, *normal))
            return std::pair("/" + *normal, wanted->substr(normal->size() + 1));
    }
    return std::nullopt;
}

}  // namespace

std::string ChainImage::described() const {
    return "'" + escaped(place ? place->path : local_path) + "'";
}

Result<ChainImage> chain_image_in_gluster(Place place, const std::string& who,
                                          const std::string& doing) {
    SFG_TRY_ASSIGN(const Object object, look_up_place(place, who));
    ChainImage image;
    image.gfid = object.gfid();
    auto prepare = [&]() -> Result<void> {
        SFG_TRY_ASSIGN(UsedFile used, use_shared(object, doing));
        image.used = std::make_shared<UsedFile>(std::move(used));
        // Only now is it sure to stay what it is.
        SFG_TRY_ASSIGN(const Object current, look_up_place(place, "it"));
        if (current.gfid() != object.gfid())
            return Error(ErrorKind::not_found, ENOENT, "it was replaced meanwhile");
        SFG_TRY_ASSIGN(const auto info, inspect_cached(current));
        image.info = *info;
        image.stat = current.stat();
        SFG_TRY_ASSIGN(image.format, readable_format(info->format));
        return check_readable(image.used->file, image);
    };
    if (auto prepared = prepare(); !prepared) return prepared.error().with_context(who);
    image.place = std::move(place);
    return image;
}

Result<ChainImage> local_chain_image(std::shared_ptr<LocalFile> file, const std::string& path,
                                     const std::string& format) {
    ChainImage image;
    image.local_path = path;
    image.file = std::move(file);
    auto prepare = [&]() -> Result<void> {
        SFG_TRY_ASSIGN(image.format, readable_format(format));
        if (image.format == "raw") {
            SFG_TRY_ASSIGN(image.info.capacity, image.file->size());
        } else {
            SFG_TRY_ASSIGN(image.info, inspect_file(*image.file));
            if (image.info.format != format)
                return Error(ErrorKind::corrupt, "it is " + image.info.format + ", not " + format);
        }
        return check_readable(*image.file, image);
    };
    if (auto prepared = prepare(); !prepared)
        return prepared.error().with_context("'" + escaped(path) + "'");
    return image;
}

namespace {

// A base of this host whose format no image says: qemu would guess, and a guest may have written
// what it would guess by.
Result<void> check_looks_raw(LocalFile& file, const std::string& who) {
    SFG_TRY_ASSIGN(const ImageInfo info, inspect_file(file));
    if (info.format == "raw" || info.format == "iso") return {};
    return Error(ErrorKind::unsupported, who + " looks like " + info.format +
                                             ", and the image does not say what it is: record it "
                                             "(qemu-img rebase -u -F " +
                                             info.format + " -b ...)");
}

}  // namespace

Result<ChainImage> open_base(const std::optional<Place>& at, const std::string& local_path,
                             const ImageInfo& info, const std::string& doing) {
    const std::string& name = *info.backing;
    const RecordedName recorded = read_recorded_name(name);
    const std::string& said = info.backing_format.empty() ? recorded.format : info.backing_format;
    const std::string who = "its base '" + escaped(name) + "'";
    if (auto place = place_of_recorded(at, recorded)) {
        if (!in_a_pool(*place))
            return Error(ErrorKind::denied, who + " is in no active pool's directory");
        SFG_TRY_ASSIGN(ChainImage base, chain_image_in_gluster(*std::move(place), who, doing));
        if (!said.empty() && said != base.format) {
            if (said != "raw")
                return Error(ErrorKind::corrupt, who + " is " + base.format + ", not " +
                                                     escaped(said) + " as the image says");
            base.format = said;
            base.info = ImageInfo();
            SFG_TRY_ASSIGN(base.info.capacity, base.used->file.size());
        }
        return base;
    }
    const NamedFile& named = recorded.files.front();
    std::string path;
    if (recorded.plain && named.kind == NamedFile::Kind::local) path = named.path;
    if (recorded.plain && named.kind == NamedFile::Kind::relative && !at)
        path = local_path.substr(0, local_path.rfind('/') + 1) + named.path;
    const auto found = path.starts_with('/') ? base_directory(path) : std::nullopt;
    if (!found)
        return Error(ErrorKind::denied,
                     who +
                         " is neither in an active gluster pool nor in a directory of "
                         "local-base-directories in /etc/libvirt/sf-gluster.conf, and is not "
                         "opened");
    auto file = LocalFile::open_beneath(found->first, found->second);
    if (!file) return file.error().with_context(who);
    if (said.empty()) SFG_TRY(check_looks_raw(**file, who));
    return local_chain_image(*std::move(file), found->first + "/" + found->second,
                             said.empty() ? "raw" : said);
}

Result<std::vector<ChainImage>> walk_chain(ChainImage top, const std::string& doing) {
    std::vector<ChainImage> chain;
    chain.push_back(std::move(top));
    while (chain.back().info.backing) {
        if (chain.size() == kDeepestChain)
            return Error(ErrorKind::corrupt, ELOOP,
                         "its chain has more than " + std::to_string(kDeepestChain) +
                             " images, or is a loop");
        auto base =
            open_base(chain.back().place, chain.back().local_path, chain.back().info, doing);
        if (!base)
            return chain.size() == 1 ? base.error()
                                     : base.error().with_context(chain.back().described());
        chain.push_back(*std::move(base));
    }
    return chain;
}

}  // namespace sfg
