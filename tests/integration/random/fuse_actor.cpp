// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/fuse_actor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/integration/random/blocks.hpp"
#include "tests/integration/random/bricks.hpp"
#include "tests/support/command.hpp"

namespace sfg::test::random {
namespace {

constexpr std::uint64_t kThread = 90;  // apart from those of hosts

class OpenFile {
  public:
    explicit OpenFile(const std::string& path) : fd_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {}
    ~OpenFile() {
        if (fd_ >= 0) close(fd_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    int fd() const { return fd_; }
    bool is_raw() const {
        std::array<char, 4> magic{};
        return fd_ >= 0 && pread(fd_, magic.data(), magic.size(), 0) == 4 &&
               std::memcmp(magic.data(), "QFI\xfb", 4) != 0;
    }

  private:
    const int fd_;
};

}  // namespace

FuseActor::FuseActor(const Playground& ground, Journal& journal, std::uint64_t seed)
    : ground_(ground), journal_(journal), dice_(seed, kThread) {}

void FuseActor::work_until(Time deadline) {
    while (Clock::now() < deadline) {
        step();
        // What is not guarded makes the model unsure, so there is less of it.
        std::this_thread::sleep_for(std::chrono::milliseconds(dice_.roll(300)));
    }
}

std::string FuseActor::any_name(Wish wish) {
    const std::size_t start = dice_.roll(ground_.names().size());
    return fitting_name(ground_, dice_.one_in(3) ? Wish::anything : wish, start);
}

Operation FuseActor::operation(Verb verb, const std::string& name) const {
    Operation one;
    one.who = "fuse";
    one.verb = verb;
    one.name = name;
    one.text = name;
    return one;
}

template <typename Call>
void FuseActor::ask(Operation& operation, Call call) {
    errno = 0;
    if (call() != 0) {
        operation.code = errno != 0 ? errno : EIO;
        operation.message = std::strerror(operation.code);
    }
    operation.end = Clock::now();
    operation.after = look_at(ground_, operation.name, false);
    journal_.end(operation);
}

void FuseActor::step() {
    dice_.next_step();
    const auto roll = dice_.roll(10);
    if (roll < 4) return create(any_name(Wish::not_there));
    if (roll < 6) return remove(any_name(Wish::there));
    if (roll < 8) return move(any_name(Wish::there));
    change_raw(any_name(Wish::there));
}

void FuseActor::create(const std::string& name) {
    const std::string path = ground_.on_fuse(name);
    const std::string base = any_name(Wish::there);
    const FileState below = peek(ground_, base);
    Operation making = operation(Verb::fuse_create, name);
    making.format = dice_.one_in(3) ? "raw" : "qcow2";
    making.capacity = (1 + dice_.roll(4)) * kMiB;
    std::vector<std::string> words{"qemu-img", "create", "-q", "-f", making.format};
    if (making.format == "qcow2" && !dice_.one_in(3) && below.exists) {
        making.base = base;
        making.capacity.reset();
        const std::string recorded = std::filesystem::path(base).lexically_relative(
            directory_of(name).empty() ? "." : directory_of(name));
        words.insert(words.end(), {"-b", recorded, "-F", below.format.value_or("raw")});
    }
    words.push_back(path);
    if (making.capacity) words.push_back(std::to_string(*making.capacity));
    making.text = name + " " + making.format + (making.base.empty() ? "" : " on " + making.base);
    journal_.begin(making);
    // qemu-img would cut what is there to nothing.
    struct stat status {};
    if (lstat(path.c_str(), &status) == 0 || peek(ground_, name).exists) {
        making.nothing_asked = true;
        making.message = "it is there";
        return journal_.end(making);
    }
    const Ran ran = run(words, std::chrono::seconds(60));
    making.code = ran.ok() ? 0 : EIO;
    making.message = ran.output;
    making.was_moving = ran.status == -1;
    journal_.end(making);
}

void FuseActor::remove(const std::string& name) {
    if (!overlays_of(ground_, name).empty()) return;
    Operation removing = operation(Verb::fuse_remove, name);
    journal_.begin(removing);
    ask(removing, [&] { return unlink(ground_.on_fuse(name).c_str()); });
}

void FuseActor::move(const std::string& name) {
    const std::string to = any_name();
    if (to == name || !overlays_of(ground_, name).empty() || !overlays_of(ground_, to).empty())
        return;
    if (directory_of(to) != directory_of(name) && !dice_.one_in(3)) return;
    Operation moving = operation(Verb::fuse_move, name);
    moving.to = to;
    moving.text = name + " " + to;
    journal_.begin(moving);
    ask(moving, [&] { return rename(ground_.on_fuse(name).c_str(), ground_.on_fuse(to).c_str()); });
}

void FuseActor::change_raw(const std::string& name) {
    const bool cuts = dice_.one_in(2);
    Operation changing = operation(cuts ? Verb::fuse_truncate : Verb::fuse_write, name);
    if (cuts) changing.capacity = (1 + dice_.roll(8)) * 512 * kKiB;
    journal_.begin(changing);
    const OpenFile file(ground_.on_fuse(name));
    if (!file.is_raw()) {
        changing.nothing_asked = true;
        changing.message = "it is not there, or not raw";
        return journal_.end(changing);
    }
    const std::string bytes = block_bytes(changing.number);
    if (!cuts) changing.block = block_name(bytes);
    ask(changing, [&] {
        if (cuts) return ftruncate(file.fd(), static_cast<off_t>(*changing.capacity));
        const ssize_t written = pwrite(file.fd(), bytes.data(), bytes.size(), 0);
        return written == static_cast<ssize_t>(bytes.size()) ? fsync(file.fd()) : -1;
    });
}

}  // namespace sfg::test::random
