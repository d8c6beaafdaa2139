// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/conversion.hpp"

#include "driver/convert/convert.hpp"
#include "driver/core/local_file.hpp"
#include "driver/core/log.hpp"
#include "driver/pools/names.hpp"

namespace sfg {
namespace {

// The gluster volumes of a conversion, each once.
class Mounts {
  public:
    ConvertFile file_at(const Place& place, const Gfid& gfid) {
        ConvertFile file;
        file.volume = index_of(place);
        file.path = place.path;
        file.gfid = text_of(gfid);
        return file;
    }

    const std::vector<VolumeAddress>& addresses() const { return addresses_; }

  private:
    std::size_t index_of(const Place& place) {
        const std::string& id = place.connection->volume_id();
        for (std::size_t i = 0; i < ids_.size(); ++i)
            if (ids_[i] == id) return i;
        ids_.push_back(id);
        addresses_.push_back(place.address);
        return ids_.size() - 1;
    }

    std::vector<std::string> ids_;
    std::vector<VolumeAddress> addresses_;
};

ConvertNode node_of(const ChainImage& image, Mounts& mounts) {
    ConvertNode node;
    node.format = image.format;
    if (image.place)
        node.file = mounts.file_at(*image.place, image.gfid);
    else
        node.file = {std::nullopt, image.local_path, "", image.file->descriptor()};
    return node;
}

std::vector<ConvertNode> nodes_of(const std::vector<ChainImage>& chain, Mounts& mounts) {
    std::vector<ConvertNode> nodes;
    for (const auto& image : chain) nodes.push_back(node_of(image, mounts));
    return nodes;
}

// qemu-img's -o for a qcow2 image.
std::vector<std::pair<std::string, std::string>> options_of(const VolumeRequest& request) {
    const auto wanted = qcow2_options(request, std::nullopt);
    std::vector<std::pair<std::string, std::string>> options = {
        {"compat", wanted.version == 2 ? "0.10" : "1.1"},
        {"cluster_size", std::to_string(wanted.cluster_size)}};
    if (wanted.lazy_refcounts) options.emplace_back("lazy_refcounts", "on");
    if (wanted.extended_l2) options.emplace_back("extended_l2", "on");
    using Preallocation = qcow2::CreateOptions::Preallocation;
    if (wanted.preallocation == Preallocation::metadata)
        options.emplace_back("preallocation", "metadata");
    if (wanted.preallocation == Preallocation::falloc)
        options.emplace_back("preallocation", "falloc");
    return options;
}

Result<std::vector<ChainImage>> chain_of_base(const Base& base, const std::string& doing) {
    if (base.place) {
        SFG_TRY_ASSIGN(ChainImage image, chain_image_in_gluster(*base.place, "the base", doing));
        return walk_chain(std::move(image), doing);
    }
    SFG_TRY_ASSIGN(auto file, LocalFile::open(base.recorded, LocalFile::Mode::read_only));
    SFG_TRY_ASSIGN(ChainImage image,
                   local_chain_image(std::move(file), base.recorded, base.format));
    return walk_chain(std::move(image), doing);
}

}  // namespace

Result<void> convert_chain(const std::vector<ChainImage>& chain, const OpenPool& pool,
                           Temporary& temporary, const std::string& path,
                           const VolumeRequest& request, const std::optional<Base>& base,
                           Progress& progress) {
    ConvertJob job;
    Mounts mounts;
    job.source = nodes_of(chain, mounts);
    job.target.format = request.format;
    job.target.file = mounts.file_at(place_in(pool, join_path(parent_of(path), temporary.name())),
                                     temporary.object().gfid());
    std::vector<ChainImage> bases;  // open until the end
    if (base) {
        SFG_TRY_ASSIGN(bases,
                       chain_of_base(*base, "a volume that has it as its base is being made"));
        job.target.made = true;
        job.target.bases = nodes_of(bases, mounts);
        SFG_TRY(temporary.file().flush());
    } else if (request.format == "qcow2") {
        job.target.options = options_of(request);
    }
    job.volumes = mounts.addresses();
    log_info(volume_described(pool.pool, request.name) + ": qemu-img converts " +
             chain.front().described() + " (" + chain.front().format + ", a chain of " +
             std::to_string(chain.size()) + ") to " + request.format);
    return convert_image(job, [&](double percent) { progress.set_percent(percent); });
}

}  // namespace sfg
