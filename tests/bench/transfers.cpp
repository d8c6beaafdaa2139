// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>

#include "tests/bench/pool_pair.hpp"
#include "tests/support/command.hpp"

namespace sfg::bench {
namespace {

using test::kGiB;
using test::kMiB;

constexpr int kTurns = 3;

class Stream {
  public:
    explicit Stream(const test::Client& client) : stream_(virStreamNew(client.get(), 0)) {}
    ~Stream() { virStreamFree(stream_); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virStreamPtr get() const { return stream_; }

  private:
    virStreamPtr stream_;
};

void must(int outcome, const char* what) {
    if (outcome < 0)
        throw std::runtime_error(std::string("cannot ") + what + ": " +
                                 test::last_refusal().message);
}

// Bytes that do not compress and are cheap to make.
const std::string& noise() {
    static const std::string bytes = [] {
        std::string made(4 * kMiB, '\0');
        std::mt19937_64 random(1);
        for (char& byte : made) byte = static_cast<char>(random());
        return made;
    }();
    return bytes;
}

// What is sent: `data` bytes in four runs, spread over `total`.
struct Source {
    std::uint64_t total;
    std::uint64_t data;
    std::uint64_t at = 0;

    std::uint64_t run() const { return data / 4; }
    std::uint64_t stride() const { return total / 4; }
    bool in_data() const { return at % stride() < run(); }
    std::uint64_t section() const {
        const std::uint64_t in_stride = at % stride();
        return std::min(total - at, (in_data() ? run() : stride()) - in_stride);
    }
};

int give(virStreamPtr, char* bytes, std::size_t size, void* opaque) {
    auto& source = *static_cast<Source*>(opaque);
    const auto part = static_cast<std::size_t>(
        std::min<std::uint64_t>({size, source.total - source.at, noise().size()}));
    std::copy_n(noise().data(), part, bytes);
    source.at += part;
    return static_cast<int>(part);
}

int tell_hole(virStreamPtr, int* in_data, long long* length, void* opaque) {
    const auto& source = *static_cast<Source*>(opaque);
    *in_data = source.at < source.total && source.in_data();
    *length = source.at < source.total ? static_cast<long long>(source.section()) : 0;
    return 0;
}

int pass_over(virStreamPtr, long long length, void* opaque) {
    static_cast<Source*>(opaque)->at += static_cast<std::uint64_t>(length);
    return 0;
}

int drop(virStreamPtr, const char*, std::size_t size, void* opaque) {
    *static_cast<std::uint64_t*>(opaque) += size;
    return static_cast<int>(size);
}

int drop_hole(virStreamPtr, long long length, void* opaque) {
    *static_cast<std::uint64_t*>(opaque) += static_cast<std::uint64_t>(length);
    return 0;
}

void upload(const test::Client& client, const ScratchPool& pool, const std::string& name,
            std::uint64_t bytes) {
    const test::Volume volume = pool.volume(name);
    const Stream stream(client);
    must(virStorageVolUpload(volume.get(), stream.get(), 0, 0, 0), "upload");
    Source source{bytes, bytes};
    must(virStreamSendAll(stream.get(), give, &source), "send");
    must(virStreamFinish(stream.get()), "finish an upload");
}

void upload_sparse(const test::Client& client, const ScratchPool& pool, const std::string& name,
                   std::uint64_t bytes, std::uint64_t data) {
    const test::Volume volume = pool.volume(name);
    const Stream stream(client);
    must(
        virStorageVolUpload(volume.get(), stream.get(), 0, 0, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM),
        "upload");
    Source source{bytes, data};
    must(virStreamSparseSendAll(stream.get(), give, tell_hole, pass_over, &source), "send");
    must(virStreamFinish(stream.get()), "finish an upload");
}

void download(const test::Client& client, const ScratchPool& pool, const std::string& name,
              std::uint64_t bytes, bool sparse) {
    const test::Volume volume = pool.volume(name);
    const Stream stream(client);
    must(virStorageVolDownload(volume.get(), stream.get(), 0, 0,
                               sparse ? VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM : 0),
         "download");
    std::uint64_t got = 0;
    must(sparse ? virStreamSparseRecvAll(stream.get(), drop, drop_hole, &got)
                : virStreamRecvAll(stream.get(), drop, &got),
         "receive");
    must(virStreamFinish(stream.get()), "finish a download");
    if (got != bytes)
        throw std::runtime_error(std::to_string(got) + " bytes were downloaded, not " +
                                 std::to_string(bytes));
}

// The dir pool's mount keeps what was read or written; a download is to read the volume.
void forget_cached(const Options& options, const ScratchDirectory& scratch,
                   const std::string& name) {
    const std::string path = options.mount + scratch.in_volume() + "/transfers/" + name;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("cannot open " + path);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

// One pass of fio over a file, named from the volume's root. Its own figure: the program's time has
// gluster's ten seconds of closing in it.
double fio_milliseconds(const Options& options, const std::string& file, const std::string& what,
                        std::uint64_t size) {
    const auto ran = test::run(
        {"/usr/bin/fio", "--name=ceiling", "--ioengine=gfapi_async", "--volume=" + options.volume,
         "--brick=" + options.host, "--filename=" + file, "--rw=" + what, "--bs=1M", "--iodepth=8",
         "--size=" + std::to_string(size), "--output-format=terse", "--terse-version=3"});
    // Fields 7 and 48 of a line: KiB a second, read and written (fio's HOWTO, "terse version 3").
    const auto begin = ran.output.find("3;fio-");
    if (!ran.ok() || begin == std::string::npos)
        throw std::runtime_error("fio failed: " + ran.output);
    std::istringstream fields(ran.output.substr(begin));
    std::string field;
    for (int i = 0; i < (what == "read" ? 7 : 48); ++i) std::getline(fields, field, ';');
    return static_cast<double>(size) / 1024 / std::stod(field) * 1000;
}

std::string size_text(std::uint64_t bytes) {
    return bytes % kGiB == 0 ? std::to_string(bytes / kGiB) + " GiB"
                             : std::to_string(bytes / kMiB) + " MiB";
}

}  // namespace

std::vector<Row> compare_transfers(const test::Client& client, const Options& options,
                                   const ScratchDirectory& scratch) {
    scratch.make_subdirectory("transfers");
    const PoolPair pools(client, options, scratch, "transfers");
    const std::uint64_t size = options.transfer * kMiB;
    const std::uint64_t sparse_size = 8 * size;
    const std::uint64_t sparse_data = size / 16;
    for (const char* who : {"gluster", "fuse"}) {
        const ScratchPool& pool = who == std::string("fuse") ? pools.fuse : pools.gluster;
        pool.create(test::raw(std::string("raw-") + who, size));
        pool.create(test::raw(std::string("sparse-") + who, sparse_size));
        pool.create(test::qcow2(std::string("grown-") + who, kGiB));
    }
    const std::string text = size_text(size);
    const std::string sparse_text = size_text(sparse_size) + " with " + size_text(sparse_data);
    Row up{"upload " + text, "at most 0.8"}, down{"download " + text, "at most 0.8"};
    Row sparse_up{"upload, sparse, " + sparse_text, "at most 1"};
    Row sparse_down{"download, sparse, " + sparse_text, "at most 1"};
    Row clone_raw{"clone raw, " + text, "at most 0.5"};
    Row clone_qcow2{"clone qcow2, " + text, "at most 0.5"};
    Row wipe{"wipe " + text, "at most 1"}, resize{"resize qcow2", "at most 0.5"};

    for (int turn = 0; turn < kTurns; ++turn) {
        pools.alternate(turn, up, [&](const ScratchPool& pool, const char* who) {
            upload(client, pool, std::string("raw-") + who, size);
        });
        forget_cached(options, scratch, "raw-fuse");
        pools.alternate(turn, down, [&](const ScratchPool& pool, const char* who) {
            download(client, pool, std::string("raw-") + who, size, false);
        });
        pools.alternate(turn, sparse_up, [&](const ScratchPool& pool, const char* who) {
            upload_sparse(client, pool, std::string("sparse-") + who, sparse_size, sparse_data);
        });
        forget_cached(options, scratch, "sparse-fuse");
        pools.alternate(turn, sparse_down, [&](const ScratchPool& pool, const char* who) {
            download(client, pool, std::string("sparse-") + who, sparse_size, true);
        });
        pools.alternate(turn, resize, [&](const ScratchPool& pool, const char* who) {
            const test::Volume volume = pool.volume(std::string("grown-") + who);
            must(virStorageVolResize(volume.get(), (static_cast<unsigned>(turn) + 2) * kGiB, 0),
                 "resize");
        });
        forget_cached(options, scratch, "raw-fuse");
        pools.alternate(turn, clone_raw, [&](const ScratchPool& pool, const char* who) {
            pool.clone(test::raw(std::string("copy-") + who, size), std::string("raw-") + who);
        });
        if (turn == 0) {
            // An image that is full of data, by each pool's own means.
            for (const char* who : {"gluster", "fuse"}) {
                const ScratchPool& pool = who == std::string("fuse") ? pools.fuse : pools.gluster;
                pool.clone(test::qcow2(std::string("image-") + who, size),
                           std::string("raw-") + who);
            }
        }
        forget_cached(options, scratch, "image-fuse");
        pools.alternate(turn, clone_qcow2, [&](const ScratchPool& pool, const char* who) {
            pool.clone(test::qcow2(std::string("image-copy-") + who, size),
                       std::string("image-") + who);
        });
        pools.alternate(turn, wipe, [&](const ScratchPool& pool, const char* who) {
            const test::Volume volume = pool.volume(std::string("copy-") + who);
            must(virStorageVolWipe(volume.get(), 0), "wipe");
        });
        for (const char* who : {"gluster", "fuse"}) {
            const ScratchPool& pool = who == std::string("fuse") ? pools.fuse : pools.gluster;
            pool.remove(std::string("copy-") + who);
            pool.remove(std::string("image-copy-") + who);
        }
    }
    return {up, down, sparse_up, sparse_down, clone_raw, clone_qcow2, wipe, resize};
}

Ceilings measure_ceilings(const test::Client& client, const Options& options,
                          const ScratchDirectory& scratch) {
    namespace fs = std::filesystem;
    Ceilings ceilings;
    const std::uint64_t size = options.transfer * kMiB;
    const fs::path memory = fs::path("/dev/shm") / ("pool-bench-" + std::to_string(getpid()));
    fs::create_directory(memory);
    struct Removed {
        fs::path path;
        ~Removed() {
            std::error_code ignored;
            fs::remove_all(path, ignored);
        }
    } removed{memory};
    {
        const ScratchPool pool(client, "bench-memory",
                               "<pool type='dir'><name>bench-memory</name><target><path>" +
                                   memory.string() + "</path></target></pool>");
        pool.create(test::raw("raw", size));
        for (int turn = 0; turn < kTurns; ++turn) {
            ceilings.stream_up.time([&] { upload(client, pool, "raw", size); });
            ceilings.stream_down.time([&] { download(client, pool, "raw", size, false); });
        }
    }
    if (!fs::exists("/usr/bin/fio")) return ceilings;
    scratch.make_subdirectory("fio");
    const std::string file = scratch.in_volume().substr(1) + "/fio/file";
    ceilings.fio_write.add(fio_milliseconds(options, file, "write", size));
    ceilings.fio_read.add(fio_milliseconds(options, file, "read", size));
    return ceilings;
}

}  // namespace sfg::bench
