// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/image_checks.hpp"

#include <filesystem>
#include <sstream>
#include <vector>

#include "tests/support/command.hpp"

namespace sfg::test {

testing::AssertionResult sound(const std::string& path) {
    const Ran checked = run({"qemu-img", "check", "-f", "qcow2", path});
    if (!checked.ok()) return testing::AssertionFailure() << path << ": " << checked.output;
    std::error_code error;
    const auto length = std::filesystem::file_size(path, error);
    if (error || length % 512 != 0)
        return testing::AssertionFailure() << path << " is " << length << " bytes long";
    return testing::AssertionSuccess();
}

testing::AssertionResult same_guest_bytes(const std::string& format, const std::string& path,
                                          const std::string& other_format,
                                          const std::string& other_path, bool strict) {
    std::vector<std::string> words = {"qemu-img", "compare", "-f", format, "-F", other_format};
    words.push_back(path);
    words.push_back(other_path);
    const Ran compared = run(words);
    if (!compared.ok())
        return testing::AssertionFailure()
               << path << " and " << other_path << ": " << compared.output;
    // "Warning: Image size mismatch!" goes with a status of 0 when the rest is zeros. (Its own
    // strict mode wants the same allocation, too.)
    if (strict && compared.output.find("Warning") != std::string::npos)
        return testing::AssertionFailure()
               << path << " and " << other_path << ": " << compared.output;
    return testing::AssertionSuccess();
}

namespace {

// Since qemu 8 an image begins with its "children", such as the file, which have a size, too.
std::string without_children(const std::string& json) {
    std::istringstream lines(json);
    std::string rest;
    std::string end;  // of the list that is left out
    for (std::string line; std::getline(lines, line);) {
        const auto key = line.find("\"children\": [");
        if (end.empty() && key != std::string::npos)
            end = std::string(key, ' ') + "],";
        else if (end.empty())
            rest += line + "\n";
        else if (line == end)
            end.clear();
    }
    return rest;
}

}  // namespace

std::string image_field(const std::string& path, const std::string& name) {
    return field_of_info(run({"qemu-img", "info", "-U", "--output=json", path}).output, name);
}

std::string field_of_info(const std::string& json, const std::string& name) {
    const std::string info = without_children(json);
    const std::string key = "\"" + name + "\": ";
    const auto at = info.find(key);
    if (at == std::string::npos) return "";
    const auto start = at + key.size();
    std::string value = info.substr(start, info.find_first_of(",\n}", start) - start);
    if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
    return value;
}

testing::AssertionResult in_image(const std::string& format, const std::string& path,
                                  const std::string& commands) {
    std::vector<std::string> words = {"qemu-io", "-f", format};
    std::istringstream lines(commands);
    for (std::string line; std::getline(lines, line, ';');) {
        words.push_back("-c");
        words.push_back(line);
    }
    words.push_back(path);
    const Ran ran = run(words);
    if (!ran.ok()) return testing::AssertionFailure() << path << ": " << ran.output;
    return testing::AssertionSuccess();
}

}  // namespace sfg::test
