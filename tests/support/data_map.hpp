// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sfg::test {

// Where a file has data.
struct DataExtent {
    std::uint64_t offset = 0;  // bytes
    std::uint64_t length = 0;

    bool operator==(const DataExtent&) const = default;
};

// By SEEK_DATA and SEEK_HOLE, in order; a file that cannot be asked has none.
std::vector<DataExtent> data_map(const std::string& path);

std::string to_text(const std::vector<DataExtent>& map);

// A file of that length which has noise in these places and holes elsewhere. True when made.
bool make_sparse(const std::string& path, std::uint64_t length,
                 const std::vector<DataExtent>& data);

// Bytes that a file takes on its file system.
std::uint64_t space_of(const std::string& path);

}  // namespace sfg::test
