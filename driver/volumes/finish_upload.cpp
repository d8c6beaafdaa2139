// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/finish_upload.hpp"

#include <algorithm>

#include "driver/core/log.hpp"
#include "driver/images/inspect.hpp"

namespace sfg {

Result<void> pad_image(ByteSource& file, std::uint64_t cluster_size) {
    SFG_TRY_ASSIGN(const std::uint64_t size, file.size());
    const std::uint64_t rest = size % std::max<std::uint64_t>(cluster_size, 512);
    if (rest == 0) return {};
    return file.resize(size - rest + std::max<std::uint64_t>(cluster_size, 512));
}

Result<void> finish_upload(TakenVolume& taken, bool header_came, const std::string& who) {
    File& file = taken.file();
    SFG_TRY_ASSIGN(const ImageInfo info, inspect_file(file));
    std::string format = info.format;
    if (!header_came) {
        SFG_TRY_ASSIGN(const auto recorded, taken.object().attribute(kFormatAttribute));
        format = recorded.value_or(format);
    }
    if (format == "qcow2" && info.format == "qcow2") {
        if (!info.damage.empty())
            log_warning(who + ": what was uploaded is a damaged or unknown image: " + info.damage);
        else if (info.unpadded)
            SFG_TRY(pad_image(file, info.cluster_size));
    }
    if (header_came) SFG_TRY(taken.record_format(format));
    return file.flush();
}

}  // namespace sfg
