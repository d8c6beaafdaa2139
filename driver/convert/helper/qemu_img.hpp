// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "driver/convert/helper/cage.hpp"
#include "driver/convert/helper/files.hpp"
#include "driver/convert/node_json.hpp"

namespace sfg {

// What is told while it works.
struct Signs {
    std::function<void(double percent)> progress;
    std::function<void()> alive;
};

struct OpenImage {
    std::string format;
    OpenFile file;
};
using OpenChain = std::vector<OpenImage>;  // the top image first

// The steps of a conversion that qemu-img does, each in a cage of its own.
class QemuImg {
  public:
    // `scratch`: an empty directory of the private place. `bytes` is how much there is to do: the
    // time that qemu-img may compute for grows with it.
    QemuImg(std::string program, std::string scratch, std::optional<CageUser> user, Signs signs);

    // The capacity in bytes of the top image.
    Result<std::uint64_t> capacity(const OpenChain& chain);

    // Writes an empty image into `into`, an empty file that nobody locks: qemu-img's own creation
    // locks whatever it is told.
    Result<void> create(const std::string& format,
                        const std::vector<std::pair<std::string, std::string>>& options,
                        std::uint64_t capacity, const OpenFile& into);

    // Copies what `source` shows into the image `target`, which comes with its bases and has
    // nothing written in it. `capacity`: the source's.
    Result<void> convert(const OpenChain& source, const OpenChain& target, std::uint64_t capacity);

    // Looks for contradictions in an image of qcow2.
    Result<void> check(const OpenImage& image);

  private:
    Result<CagedRun> run(const std::string& doing, const std::vector<const OpenChain*>& chains,
                         const std::vector<const OpenFile*>& more, std::uint64_t bytes,
                         std::vector<std::string> arguments,
                         const std::function<void(std::string_view)>& output);

    std::string program_;
    std::string scratch_;
    std::optional<CageUser> user_;
    Signs signs_;
};

}  // namespace sfg
