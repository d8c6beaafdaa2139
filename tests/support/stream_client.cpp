// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/stream_client.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

namespace sfg::test {
namespace {

Refusal outcome(int returned) {
    return returned < 0 ? last_refusal() : Refusal();
}

Refusal local_failure(const std::string& path) {
    return {VIR_ERR_SYSTEM_ERROR, path + ": " + std::strerror(errno)};
}

// A local file that a stream comes from or goes to.
class LocalFile {
  public:
    LocalFile(const std::string& path, int flags)
        : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~LocalFile() {
        if (fd_ >= 0) close(fd_);
    }
    LocalFile(const LocalFile&) = delete;
    LocalFile& operator=(const LocalFile&) = delete;

    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; }

  private:
    const int fd_;
};

int fd_of(void* opaque) {
    return static_cast<const LocalFile*>(opaque)->fd();
}

int read_some(virStreamPtr, char* bytes, std::size_t length, void* opaque) {
    return static_cast<int>(read(fd_of(opaque), bytes, length));
}

int write_some(virStreamPtr, const char* bytes, std::size_t length, void* opaque) {
    return static_cast<int>(write(fd_of(opaque), bytes, length));
}

// As virsh has it: where the file is in data or in a hole, and for how long.
int where_in_file(virStreamPtr, int* in_data, long long* length, void* opaque) {
    const int fd = fd_of(opaque);
    const off_t now = lseek(fd, 0, SEEK_CUR);
    const off_t data = lseek(fd, now, SEEK_DATA);
    off_t end = 0;
    if (data < 0) {
        if (errno != ENXIO) return -1;
        *in_data = 0;
        end = lseek(fd, 0, SEEK_END);
    } else {
        *in_data = data == now ? 1 : 0;
        end = data == now ? lseek(fd, now, SEEK_HOLE) : data;
    }
    *length = end - now;
    return lseek(fd, now, SEEK_SET) < 0 ? -1 : 0;
}

int skip_in_file(virStreamPtr, long long length, void* opaque) {
    return lseek(fd_of(opaque), length, SEEK_CUR) < 0 ? -1 : 0;
}

int leave_hole(virStreamPtr, long long length, void* opaque) {
    const off_t end = lseek(fd_of(opaque), length, SEEK_CUR);
    return end < 0 || ftruncate(fd_of(opaque), end) < 0 ? -1 : 0;
}

using Begin = int(virStorageVolPtr, virStreamPtr, unsigned long long, unsigned long long,
                  unsigned int);

Answer<Stream> begin(Begin* call, const Volume& volume, Part part, unsigned flags) {
    Answer<Stream> answer;
    const virStreamPtr stream = virStreamNew(virStorageVolGetConnect(volume.get()), 0);
    if (stream == nullptr) {
        answer.refusal = last_refusal();
        return answer;
    }
    Stream owned(stream);
    answer.refusal = outcome(call(volume.get(), stream, part.offset, part.length, flags));
    if (answer.refusal.code == VIR_ERR_OK) answer.value.emplace(std::move(owned));
    return answer;
}

// The calls for whole files abort the stream themselves where they fail.
template <typename Move>
Refusal whole(Answer<Stream> stream, const std::string& path, int flags, Move move) {
    if (!stream) return stream.refusal;
    LocalFile file(path, flags);
    if (!file.is_open()) return local_failure(path);
    if (const Refusal moved = outcome(move(stream->get(), &file)); moved.code != VIR_ERR_OK)
        return moved;
    return stream->finish();
}

constexpr int kNew = O_WRONLY | O_CREAT | O_TRUNC;

}  // namespace

Stream::Stream(virStreamPtr stream)
    : stream_(stream, [](virStreamPtr last) {
          virStreamAbort(last);  // says no where there is nothing to abort any more
          virStreamFree(last);
      }) {}

Refusal Stream::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const int sent = virStreamSend(get(), bytes.data(), std::min(bytes.size(), kStreamUnit));
        if (sent < 0) return last_refusal();
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Answer<std::string> Stream::receive(std::size_t most) const {
    Answer<std::string> answer;
    std::string bytes(most, '\0');
    const int got = virStreamRecv(get(), bytes.data(), bytes.size());
    if (got < 0) {
        answer.refusal = last_refusal();
        return answer;
    }
    bytes.resize(static_cast<std::size_t>(got));
    answer.value = std::move(bytes);
    return answer;
}

Refusal Stream::send_hole(std::uint64_t length) const {
    return outcome(virStreamSendHole(get(), static_cast<long long>(length), 0));
}

Refusal Stream::finish() const {
    return outcome(virStreamFinish(get()));
}

Refusal Stream::abort() const {
    return outcome(virStreamAbort(get()));
}

Answer<Stream> begin_upload(const Volume& volume, Part part, unsigned flags) {
    return begin(&virStorageVolUpload, volume, part, flags);
}

Answer<Stream> begin_download(const Volume& volume, Part part, unsigned flags) {
    return begin(&virStorageVolDownload, volume, part, flags);
}

Refusal upload(const Volume& volume, std::string_view bytes, Part part) {
    const auto stream = begin_upload(volume, part);
    if (!stream) return stream.refusal;
    if (const Refusal sent = stream->send(bytes); sent.code != VIR_ERR_OK) {
        stream->abort();
        return sent;
    }
    return stream->finish();
}

Answer<std::string> download(const Volume& volume, Part part) {
    const auto stream = begin_download(volume, part);
    if (!stream) return {std::nullopt, stream.refusal};
    Answer<std::string> all;
    std::string bytes;
    while (true) {
        const auto some = stream->receive(kStreamUnit);
        if (!some) {
            stream->abort();
            return some;
        }
        if (some->empty()) break;
        bytes += *some;
    }
    all.refusal = stream->finish();
    if (all.refusal.code == VIR_ERR_OK) all.value = std::move(bytes);
    return all;
}

Refusal upload_file(const Volume& volume, const std::string& path, Part part) {
    return whole(begin_upload(volume, part), path, O_RDONLY, [](virStreamPtr stream, void* file) {
        return virStreamSendAll(stream, &read_some, file);
    });
}

Refusal download_file(const Volume& volume, const std::string& path, Part part) {
    return whole(begin_download(volume, part), path, kNew, [](virStreamPtr stream, void* file) {
        return virStreamRecvAll(stream, &write_some, file);
    });
}

Refusal upload_sparse(const Volume& volume, const std::string& path) {
    return whole(begin_upload(volume, {}, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM), path, O_RDONLY,
                 [](virStreamPtr stream, void* file) {
                     return virStreamSparseSendAll(stream, &read_some, &where_in_file,
                                                   &skip_in_file, file);
                 });
}

Refusal download_sparse(const Volume& volume, const std::string& path, Part part) {
    return whole(begin_download(volume, part, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM), path, kNew,
                 [](virStreamPtr stream, void* file) {
                     return virStreamSparseRecvAll(stream, &write_some, &leave_hole, file);
                 });
}

Refusal wipe(const Volume& volume, int algorithm) {
    return outcome(virStorageVolWipePattern(volume.get(), static_cast<unsigned>(algorithm), 0));
}

Refusal resize(const Volume& volume, std::uint64_t capacity, unsigned flags) {
    return outcome(virStorageVolResize(volume.get(), capacity, flags));
}

std::string noise(std::size_t length, unsigned seed) {
    std::mt19937_64 random(seed);
    std::string bytes(length, '\0');
    for (std::size_t at = 0; at < length; at += sizeof(std::uint64_t)) {
        const std::uint64_t next = random();
        std::memcpy(bytes.data() + at, &next, std::min(sizeof(next), length - at));
    }
    return bytes;
}

testing::AssertionResult same_bytes(std::string_view found, std::string_view wanted) {
    const auto [left, right] =
        std::mismatch(found.begin(), found.end(), wanted.begin(), wanted.end());
    if (left == found.end() && right == wanted.end()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << found.size() << " bytes where " << wanted.size()
                                       << " are right, which differ at " << left - found.begin();
}

}  // namespace sfg::test
