// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/job_text.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>

namespace sfg {
namespace {

constexpr char kMagic[] = "sfgluster-convert 2";

class Writer {
  public:
    void word(const std::string& text) {
        text_ += text;
        text_ += '\0';
    }
    void number(std::uint64_t value) { word(std::to_string(value)); }
    void file(const ConvertFile& file) {
        word(file.volume ? std::to_string(*file.volume) : "-");
        word(file.path);
        word(file.gfid);
        word(file.descriptor ? std::to_string(*file.descriptor) : "-");
    }
    void nodes(const std::vector<ConvertNode>& nodes) {
        number(nodes.size());
        for (const auto& node : nodes) {
            word(node.format);
            file(node.file);
        }
    }
    std::string framed() const { return std::to_string(text_.size()) + '\0' + text_; }

  private:
    std::string text_;
};

// Goes on with empty words and zeros after a mistake; ok() tells at the end.
class Reader {
  public:
    explicit Reader(const std::string& text) : text_(text) {}

    std::string word() {
        const auto end = text_.find('\0', at_);
        if (end == std::string::npos) {
            ok_ = false;
            at_ = text_.size();
            return {};
        }
        std::string found = text_.substr(at_, end - at_);
        at_ = end + 1;
        return found;
    }
    std::uint64_t number() {
        const std::string digits = word();
        std::uint64_t value = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || digits.empty() || end != digits.data() + digits.size()) {
            ok_ = false;
            return 0;
        }
        return value;
    }
    // The length of a list: each of its items has a word at least.
    std::size_t count() {
        const std::uint64_t value = number();
        if (value > text_.size()) ok_ = false;
        return ok_ ? static_cast<std::size_t>(value) : 0;
    }
    ConvertFile file() {
        ConvertFile found;
        found.volume = index();
        found.path = word();
        found.gfid = word();
        if (const auto descriptor = index()) found.descriptor = static_cast<int>(*descriptor);
        return found;
    }
    // A number, or "-" for none.
    std::optional<std::size_t> index() {
        const std::string text = word();
        if (text == "-") return std::nullopt;
        Reader digits(text + '\0');
        const auto value = static_cast<std::size_t>(digits.number());
        ok_ = ok_ && digits.ok_;
        return value;
    }
    std::vector<ConvertNode> nodes() {
        std::vector<ConvertNode> found(count());
        for (auto& node : found) {
            node.format = word();
            node.file = file();
        }
        return found;
    }
    bool ok() const { return ok_ && at_ == text_.size(); }

  private:
    std::string text_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace

std::string job_text(const ConvertJob& job, const ConvertTools& tools) {
    Writer out;
    out.word(kMagic);
    out.word(tools.qemu_img);
    out.word(tools.glusterfs);
    out.number(static_cast<std::uint64_t>(tools.mount_limit.count()));
    out.number(tools.users.size());
    for (const auto& user : tools.users) out.word(user);

    out.number(job.volumes.size());
    for (const auto& volume : job.volumes) {
        out.word(volume.volume);
        out.number(volume.servers.size());
        for (const auto& server : volume.servers) {
            out.word(server.host);
            out.number(static_cast<std::uint64_t>(server.port));
        }
    }
    out.nodes(job.source);
    out.word(job.target.format);
    out.file(job.target.file);
    out.number(job.target.made ? 1 : 0);
    out.nodes(job.target.bases);
    out.number(job.target.options.size());
    for (const auto& [name, value] : job.target.options) {
        out.word(name);
        out.word(value);
    }
    return out.framed();
}

Result<HelperJob> parse_job_text(const std::string& text) {
    const Error wrong(ErrorKind::invalid, EINVAL,
                      "the converter and the library are not of one version");
    Reader in(text);
    if (in.word() != kMagic) return wrong;
    HelperJob found;
    found.tools.qemu_img = in.word();
    found.tools.glusterfs = in.word();
    found.tools.mount_limit = std::chrono::milliseconds(static_cast<std::int64_t>(in.number()));
    found.tools.users.resize(in.count());
    for (auto& user : found.tools.users) user = in.word();

    found.job.volumes.resize(in.count());
    for (auto& volume : found.job.volumes) {
        volume.volume = in.word();
        volume.servers.resize(in.count());
        for (auto& server : volume.servers) {
            server.host = in.word();
            server.port = static_cast<int>(in.number());
        }
    }
    found.job.source = in.nodes();
    found.job.target.format = in.word();
    found.job.target.file = in.file();
    found.job.target.made = in.number() != 0;
    found.job.target.bases = in.nodes();
    found.job.target.options.resize(in.count());
    for (auto& [name, value] : found.job.target.options) {
        name = in.word();
        value = in.word();
    }
    if (!in.ok()) return wrong;
    return found;
}

}  // namespace sfg
