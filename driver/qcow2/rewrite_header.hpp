// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg::qcow2 {

// The base as a header records it.
struct RecordedBase {
    std::string file;                   // written as it is; 1 to 1023 bytes, no NUL
    std::optional<std::string> format;  // qemu's name of it; 1 to 15 bytes, no NUL
};

// What rewrite_header() shall change; everything else stays.
struct HeaderChanges {
    bool change_base = false;            // `base` takes the place of what is recorded
    std::optional<RecordedBase> base;    // nothing: the image has no base any more
    std::optional<bool> lazy_refcounts;  // true in version 3 only
};

// Changes what the image in `file` says of itself. All other fields and all other header
// extensions stay, those of unknown types too; only autoclear features that are not known here are
// cleared, as every program that changes an image has to do (section "Header"). No table is looked
// at: what the guest reads through another base is the caller's business.
//
// It is one write inside the first cluster, and does not flush. A header with a feature name table
// is longer than a sector, so a power cut may tear it: this is for an image that is not in use yet,
// such as a clone under a temporary name.
//
// Errors, one sentence each:
//   invalid      a name that cannot be right; not a qcow2 image
//   unsupported  the name does not fit the first cluster; lazy refcounts in version 2; a base for
//                raw external data
//   corrupt      the header contradicts the format, or says that the image is damaged
// and whatever the file returns.
Result<void> rewrite_header(ByteSource& file, const HeaderChanges& changes);

}  // namespace sfg::qcow2
