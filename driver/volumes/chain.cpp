// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/chain.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "driver/core/local_file.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/volumes/inspect.hpp"
#include "driver/volumes/known_pools.hpp"
#include "driver/volumes/names.hpp"

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
    if (image.format == "vmdk") return check_vmdk(file);
    return {};
}

bool in_a_pool(const Place& place) {
    for (const auto& pool : KnownPools::instance().all()) {
        if (pool.address.volume == place.connection->volume() &&
            is_below(place.path, pool.directory))
            return true;
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
    SFG_TRY_ASSIGN(const auto info, inspect_cached(object));
    ChainImage image;
    image.info = *info;
    image.gfid = object.gfid();
    auto prepare = [&]() -> Result<void> {
        SFG_TRY_ASSIGN(image.format, readable_format(info->format));
        SFG_TRY_ASSIGN(UsedFile used, use_file(object, FileUse::shared, doing));
        image.used = std::make_shared<UsedFile>(std::move(used));
        return check_readable(image.used->file, image);
    };
    if (auto prepared = prepare(); !prepared) return prepared.error().with_context(who);
    image.place = std::move(place);
    return image;
}

Result<ChainImage> local_chain_image(const std::string& path, const std::string& format) {
    ChainImage image;
    image.local_path = path;
    auto prepare = [&]() -> Result<void> {
        SFG_TRY_ASSIGN(image.format, readable_format(format));
        SFG_TRY_ASSIGN(const auto file, LocalFile::open(path, LocalFile::Mode::read_only));
        SFG_TRY_ASSIGN(const std::uint64_t size, file->size());
        if (image.format == "raw") {
            image.info.capacity = size;
        } else {
            SFG_TRY_ASSIGN(image.info, inspect_file(*file));
            if (image.info.format != format)
                return Error(ErrorKind::corrupt, "it is " + image.info.format + ", not " + format);
        }
        return check_readable(*file, image);
    };
    if (auto prepared = prepare(); !prepared)
        return prepared.error().with_context("'" + escaped(path) + "'");
    return image;
}

Result<ChainImage> open_base(const std::optional<Place>& at, const ImageInfo& info,
                             const std::string& doing) {
    const std::string& name = *info.backing;
    const std::string& said = info.backing_format;
    const std::string who = "its base '" + escaped(name) + "'";
    if (auto place = place_of_recorded(at, name)) {
        if (!in_a_pool(*place))
            return Error(ErrorKind::denied, who + " is in no active pool's directory");
        SFG_TRY_ASSIGN(ChainImage base, chain_image_in_gluster(*std::move(place), who, doing));
        if (!said.empty() && said != base.format) {
            if (said != "raw")
                return Error(ErrorKind::corrupt, who + " is " + base.format + ", not " +
                                                     escaped(said) + " as the image says");
            base.format = said;
            const std::uint64_t size = static_cast<std::uint64_t>(base.info.capacity);
            base.info = ImageInfo();
            base.info.capacity = size;
        }
        return base;
    }
    const std::string path = name.starts_with("file:") ? name.substr(5) : name;
    const auto found = path.starts_with('/') ? base_directory(path) : std::nullopt;
    if (!found)
        return Error(ErrorKind::denied,
                     who +
                         " is neither in an active gluster pool nor in a directory of "
                         "local-base-directories in /etc/libvirt/sf-gluster.conf, and is not "
                         "opened");
    auto file = LocalFile::open_beneath(found->first, found->second);
    if (!file) return file.error().with_context(who);
    return local_chain_image(found->first + "/" + found->second, said.empty() ? "raw" : said);
}

Result<std::vector<ChainImage>> walk_chain(ChainImage top, const std::string& doing) {
    std::vector<ChainImage> chain;
    chain.push_back(std::move(top));
    while (chain.back().info.backing) {
        if (chain.size() == kDeepestChain)
            return Error(ErrorKind::corrupt, ELOOP,
                         "its chain has more than " + std::to_string(kDeepestChain) +
                             " images, or is a loop");
        auto base = open_base(chain.back().place, chain.back().info, doing);
        if (!base)
            return chain.size() == 1 ? base.error()
                                     : base.error().with_context(chain.back().described());
        chain.push_back(*std::move(base));
    }
    return chain;
}

}  // namespace sfg
