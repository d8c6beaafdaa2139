// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// A client of libvirt through its C API, with owners for its handles. What fails says so in what
// it returns, since libvirt forgets its last error at the next call.

namespace sfg::test {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

// Why a call was refused; VIR_ERR_OK where it was not.
struct Refusal {
    int code = VIR_ERR_OK;
    std::string message;
};

// The last error of this thread, or that none was given.
Refusal last_refusal();

// What a call gave, or why not.
template <typename T>
struct Answer {
    std::optional<T> value;
    Refusal refusal;

    explicit operator bool() const { return value.has_value(); }
    // Throws, and so fails the test, where there is none.
    T& operator*() { return value_or_throw(*this); }
    const T& operator*() const { return value_or_throw(*this); }
    T* operator->() { return &value_or_throw(*this); }
    const T* operator->() const { return &value_or_throw(*this); }

  private:
    template <typename Self>
    static auto& value_or_throw(Self& self) {
        if (!self.value) throw std::runtime_error("refused: " + self.refusal.message);
        return *self.value;
    }
};

inline const Refusal& refusal_of(const Refusal& refusal) {
    return refusal;
}
template <typename T>
const Refusal& refusal_of(const Answer<T>& answer) {
    return answer.refusal;
}

class Volume {
  public:
    explicit Volume(virStorageVolPtr volume) : volume_(volume, &virStorageVolFree) {}

    std::string name() const;
    std::string key() const;
    std::string path() const;
    Answer<std::string> xml() const;
    Answer<virStorageVolInfo> info() const;
    Refusal erase() const;
    virStorageVolPtr get() const { return volume_.get(); }

  private:
    std::shared_ptr<virStorageVol> volume_;
};

// What stands in a volume's document.
struct VolumeSpec {
    std::string name;
    std::string format = "raw";
    std::optional<std::uint64_t> capacity;  // bytes
    std::optional<std::uint64_t> allocation = 0;
    std::string type;  // the attribute of <volume>
    std::string compat;
    std::optional<std::uint64_t> cluster_size;
    std::vector<std::string> features;  // a name with a leading '!' is none
    bool has_features = false;          // an empty <features/>
    std::string backing;
    std::string backing_format;
    std::string mode;  // octal digits
    std::optional<unsigned> owner;
    std::optional<unsigned> group;
    bool encrypted = false;

    std::string xml() const;
};

VolumeSpec raw(const std::string& name, std::uint64_t capacity = kMiB);
VolumeSpec qcow2(const std::string& name, std::uint64_t capacity = kGiB);
// A qcow2 volume of its base's capacity.
VolumeSpec overlay(const std::string& name, const std::string& base,
                   const std::string& base_format = "qcow2");
VolumeSpec directory(const std::string& name);

class Pool {
  public:
    explicit Pool(virStoragePoolPtr pool) : pool_(pool, &virStoragePoolFree) {}

    std::string name() const;
    Refusal build() const;
    Refusal start() const;
    Refusal refresh() const;
    Refusal stop() const;
    Refusal erase() const;  // virStoragePoolDelete
    Refusal undefine() const;
    Refusal set_autostart(bool wanted) const;
    bool is_active() const;
    Answer<virStoragePoolInfo> info() const;
    std::string xml() const;

    Answer<Volume> create(const VolumeSpec& volume, unsigned flags = 0) const;
    Answer<Volume> create_from_xml(const std::string& xml, unsigned flags = 0) const;
    // virStorageVolCreateXMLFrom
    Answer<Volume> clone(const VolumeSpec& volume, const Volume& source, unsigned flags = 0) const;
    Answer<Volume> volume(const std::string& name) const;
    std::vector<std::string> volume_names() const;  // sorted
    bool lists(const std::string& name) const;
    virStoragePoolPtr get() const { return pool_.get(); }

  private:
    std::shared_ptr<virStoragePool> pool_;
};

// What stands in a gluster pool's document.
struct PoolSpec {
    std::string name;
    std::string volume;
    std::string directory = "/";
    std::vector<std::pair<std::string, int>> hosts;  // a port of 0 is not written

    std::string xml() const;
};

// A connection to one libvirtd.
class Client {
  public:
    // Ends the program where there is nobody.
    explicit Client(const std::string& uri);

    Answer<Pool> define(const std::string& xml) const;
    Answer<Pool> define(const PoolSpec& pool) const { return define(pool.xml()); }
    Answer<Pool> pool(const std::string& name) const;
    Answer<Volume> volume_by_key(const std::string& key) const;
    Answer<Volume> volume_by_path(const std::string& path) const;
    Answer<std::string> find_sources(const std::string& type, const std::string& source) const;
    // Stops and undefines a pool of that name, if there is one.
    void forget(const std::string& pool) const;
    // Starts a guest from its document; false with the reason.
    Refusal start_guest(const std::string& xml) const;
    Refusal stop_guest(const std::string& name) const;
    bool is_alive() const;
    virConnectPtr get() const { return connection_.get(); }

  private:
    std::shared_ptr<virConnect> connection_;
};

}  // namespace sfg::test
