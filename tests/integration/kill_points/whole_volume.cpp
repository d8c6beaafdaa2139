// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/kill_points/whole_volume.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <filesystem>

#include "tests/support/command.hpp"
#include "tests/support/image_checks.hpp"

namespace sfg::test {
namespace {

std::string recorded_format(const std::string& path) {
    std::array<char, 64> value{};
    const ssize_t size =
        lgetxattr(path.c_str(), "trusted.sfgluster.format", value.data(), value.size());
    return size < 0 ? "" : std::string(value.data(), static_cast<std::size_t>(size));
}

}  // namespace

testing::AssertionResult is_whole(const std::string& path, const Expected& expected) {
    auto wrong = [&] { return testing::AssertionFailure() << path << ": "; };
    struct stat stat {};
    if (lstat(path.c_str(), &stat) < 0) return wrong() << "is not there";
    if (expected.format == "directory")
        return S_ISDIR(stat.st_mode) ? testing::AssertionSuccess() : wrong() << "is no directory";
    if (!S_ISREG(stat.st_mode)) return wrong() << "is no file";
    if (recorded_format(path) != expected.format)
        return wrong() << "is recorded as '" << recorded_format(path) << "'";
    if (stat.st_nlink > 2) return wrong() << "has " << stat.st_nlink << " names";

    const Ran info = run({"qemu-img", "info", "-f", expected.format, "--output=json", path});
    if (!info.ok()) return wrong() << info.output;
    if (field_of_info(info.output, "virtual-size") != std::to_string(expected.capacity))
        return wrong() << "capacity " << field_of_info(info.output, "virtual-size");
    if (field_of_info(info.output, "backing-filename") != expected.base)
        return wrong() << "has the base '" << field_of_info(info.output, "backing-filename") << "'";
    if (expected.format == "raw") {
        const auto allocated = static_cast<unsigned long long>(stat.st_blocks) * 512;
        if (allocated < expected.allocation) return wrong() << allocated << " bytes are allocated";
        return testing::AssertionSuccess();
    }
    // With the chain it follows: a base that cannot be found fails it.
    const Ran chain = run({"qemu-img", "info", "--backing-chain", path});
    if (!chain.ok()) return wrong() << chain.output;
    const Ran check = run({"qemu-img", "check", "-f", expected.format, path});
    if (!check.ok()) return wrong() << check.output;
    return testing::AssertionSuccess();
}

testing::AssertionResult has_same_contents(const std::string& path, const std::string& other,
                                           const std::string& format) {
    const Ran compared = run({"qemu-img", "compare", "-f", format, "-F", format, path, other});
    if (compared.ok()) return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << path << ": is not like " << other << ": " << compared.output;
}

std::vector<std::string> temporaries_below(const std::string& directory) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.path().filename().string().find(".sfgluster-") != std::string::npos)
            found.push_back(entry.path().lexically_relative(directory));
    return found;
}

}  // namespace sfg::test
