// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/scratch_pool.hpp"

#include <stdexcept>

namespace sfg::bench {
namespace {

// To `answer`, or the end.
template <typename T>
const T& must(const T& answer, const std::string& what) {
    const test::Refusal& refusal = test::refusal_of(answer);
    if (refusal.code != VIR_ERR_OK)
        throw std::runtime_error("cannot " + what + ": " + refusal.message);
    return answer;
}

}  // namespace

ScratchPool::ScratchPool(const test::Client& client, const std::string& name,
                         const std::string& xml)
    : client_(client), name_(name) {
    client.forget(name);
    pool_ = *must(client.define(xml), "define pool " + name);
    must(pool_->start(), "start pool " + name);
}

ScratchPool::~ScratchPool() {
    client_.forget(name_);
}

void ScratchPool::create(const test::VolumeSpec& volume) const {
    must(pool_->create(volume), "create " + volume.name);
}

void ScratchPool::remove(const std::string& volume) const {
    must(must(pool_->volume(volume), "find " + volume)->erase(), "delete " + volume);
}

void ScratchPool::clone(const test::VolumeSpec& volume, const std::string& source) const {
    must(pool_->clone(volume, this->volume(source)), "clone " + source);
}

test::Volume ScratchPool::volume(const std::string& name) const {
    return *must(pool_->volume(name), "find " + name);
}

void ScratchPool::refresh() const {
    must(pool_->refresh(), "refresh " + name_);
}

int ScratchPool::volume_count() const {
    return virStoragePoolNumOfVolumes(pool_->get());
}

std::string ScratchPool::path_of(const std::string& volume) const {
    return must(pool_->volume(volume), "find " + volume)->path();
}

}  // namespace sfg::bench
