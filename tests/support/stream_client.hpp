// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/libvirt_client.hpp"

// Uploads and downloads by libvirt's C API.

namespace sfg::test {

// How much goes in one call: what libvirt puts into one message.
inline constexpr std::size_t kStreamUnit = 256 * 1024;

// A stream of a volume. One that is neither finished nor aborted when its last copy goes is
// aborted: libvirt itself would keep it open for as long as the connection stands.
class Stream {
  public:
    explicit Stream(virStreamPtr stream);

    // All of `bytes`.
    Refusal send(std::string_view bytes) const;
    // Up to so many bytes; empty at the end.
    Answer<std::string> receive(std::size_t most) const;
    Refusal send_hole(std::uint64_t length) const;
    Refusal finish() const;
    Refusal abort() const;
    virStreamPtr get() const { return stream_.get(); }

  private:
    std::shared_ptr<virStream> stream_;
};

// What part of a volume, in bytes. A length of 0 is all that comes, or to the end.
struct Part {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

Answer<Stream> begin_upload(const Volume& volume, Part part = {}, unsigned flags = 0);
Answer<Stream> begin_download(const Volume& volume, Part part = {}, unsigned flags = 0);

// From begin to finish.
Refusal upload(const Volume& volume, std::string_view bytes, Part part = {});
Answer<std::string> download(const Volume& volume, Part part = {});
// From and to a local file.
Refusal upload_file(const Volume& volume, const std::string& path, Part part = {});
Refusal download_file(const Volume& volume, const std::string& path, Part part = {});
// With holes.
Refusal upload_sparse(const Volume& volume, const std::string& path);
Refusal download_sparse(const Volume& volume, const std::string& path, Part part = {});

Refusal wipe(const Volume& volume, int algorithm = VIR_STORAGE_VOL_WIPE_ALG_ZERO);
Refusal resize(const Volume& volume, std::uint64_t capacity, unsigned flags = 0);

// Bytes that no compression and no offset by a block makes look right.
std::string noise(std::size_t length, unsigned seed = 1);

// Says where they differ, not what they are.
testing::AssertionResult same_bytes(std::string_view found, std::string_view wanted);

}  // namespace sfg::test
