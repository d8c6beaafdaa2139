// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/base_names.hpp"

#include <utility>

#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

namespace {

Error invalid(std::string sentence) {
    return Error(ErrorKind::invalid, std::move(sentence));
}

}  // namespace

Result<void> check_base_names(const std::string& name, const std::optional<std::string>& format) {
    if (name.empty()) return invalid("the name of the backing file is empty");
    if (name.find('\0') != std::string::npos)
        return invalid("the name of the backing file contains a NUL byte");
    if (name.size() > kMaxBackingName) {
        return invalid("the name of the backing file has " + std::to_string(name.size()) +
                       " bytes, but qcow2 allows at most " + std::to_string(kMaxBackingName));
    }
    if (!format) return {};
    if (format->empty() || format->size() > kMaxBackingFormat ||
        format->find('\0') != std::string::npos) {
        return invalid("the name of a backing format has 1 to " +
                       std::to_string(kMaxBackingFormat) + " bytes and no NUL");
    }
    return {};
}

}  // namespace sfg::qcow2
