// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg::hooks {

// An image whose length is no multiple of 512 bytes. qemu's gluster driver takes the short read at
// its end for an error (qemu issue 937), so that a qcow2 image does not open, and the last sector
// of a raw one cannot be read.
struct Unpadded {
    std::string path;  // as in the question, normalized
    std::uint64_t size = 0;
    bool opens = false;  // what is no qcow2 image: only its last sector cannot be read
};

// What a look at an image has found.
struct ChainLook {
    enum class Top {
        file,
        link,     // it is a link, or its path leads over one
        other,    // a directory, a device
        missing,  // also where the path leads out
        unknown,  // it could not be looked at: `why`
    };
    // Why the top is unknown.
    enum class Failure {
        other,
        not_tried,  // there was no time or no means
        no_answer,  // it did not answer in time
        dead,       // the mount's client has died
    };
    Top top = Top::unknown;
    Failure failure = Failure::other;
    std::string why;
    std::vector<Unpadded> unpadded;  // of the image and its bases
};

// Opens a file by its path as the document has it, for reading, along no link. Errors carry the
// errno: ELOOP for a link, ENOENT and EXDEV for what is not there or leads out, EINVAL for what is
// no regular file.
using OpenImage = std::function<Result<std::unique_ptr<ByteSource>>(const std::string& path)>;

struct ImageToLookAt {
    std::string path;       // as the document has it
    std::string format;     // "raw", "qcow2"; "" where it is not known
    bool and_bases = true;  // those too that qcow2 headers name relative to it, 64 at most; not
                            // where the document says itself what is below
};

// Looks at an image. Bases elsewhere than relative to it are somebody else's matter, and what a
// header says is not believed further than that.
ChainLook look_at_chain(const ImageToLookAt& image, const OpenImage& open);

}  // namespace sfg::hooks
