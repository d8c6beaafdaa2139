// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "driver/core/byte_source.hpp"

namespace sfg {

// A file of this host. Used for base images outside of gluster and by tests.
class LocalFile : public ByteSource {
  public:
    enum class Mode {
        read_only,   // must be there
        read_write,  // made with mode 0600 when it is not there
    };

    // Opens a regular file or a block device. Anything else is refused with ErrorKind::invalid,
    // and a FIFO does not block.
    static Result<std::unique_ptr<LocalFile>> open(const std::string& path, Mode mode);

    // Opens `path`, relative, for reading below `directory`: a link anywhere in it, and "..", are
    // refused (openat2(2), RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS). For trees that strangers
    // write to.
    static Result<std::unique_ptr<LocalFile>> open_beneath(const std::string& directory,
                                                           const std::string& path);

    // Closes without looking; after writing call close() first.
    ~LocalFile() override;
    LocalFile(const LocalFile&) = delete;
    LocalFile& operator=(const LocalFile&) = delete;

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override;
    Result<std::uint64_t> size() override;
    Result<void> resize(std::uint64_t bytes) override;
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override;
    Result<void> flush() override;
    Result<std::optional<Extent>> find_data(std::uint64_t from) override;

    // qemu's way of telling of itself (its block/file-posix.c): does another open file hold a lock
    // on this byte?
    Result<bool> is_locked(std::uint64_t byte);
    // Holds a shared lock on it until the file is closed. ErrorKind::busy where an exclusive one is
    // in the way.
    Result<void> lock_shared(std::uint64_t byte);

    // For handing it to another process. Stays this file's.
    int descriptor() const { return fd_; }

    // Closes and reports what close(2) does. Nothing else may be called afterwards.
    Result<void> close();

  private:
    LocalFile(int fd, std::string path);
    // Takes over `fd`.
    static Result<std::unique_ptr<LocalFile>> checked(int fd, const std::string& path);
    Error failed(int system_errno, const char* what) const;

    int fd_;
    std::string path_;  // for messages
};

}  // namespace sfg
