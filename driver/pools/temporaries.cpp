// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/temporaries.hpp"

#include <fcntl.h>

#include <chrono>
#include <mutex>
#include <random>
#include <unordered_set>

#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/parents.hpp"

namespace sfg {
namespace {

// The gfids of the temporaries that this process works on. POSIX locks are no help inside one
// process that holds one connection.
class Registry {
  public:
    static Registry& instance() {
        static auto* const registry = new Registry;  // never destroyed: threads may outlive main
        return *registry;
    }
    void insert(const Gfid& gfid) {
        const std::lock_guard held(mutex_);
        live_.insert(gfid);
    }
    void erase(const Gfid& gfid) {
        const std::lock_guard held(mutex_);
        live_.erase(gfid);
    }
    bool contains(const Gfid& gfid) {
        const std::lock_guard held(mutex_);
        return live_.contains(gfid);
    }

  private:
    std::mutex mutex_;
    std::unordered_set<Gfid> live_;
};

std::uint64_t random_id() {
    // Also unique between hosts: a clash would fail the exclusive create, not harm anybody.
    static thread_local std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

class Temporary::Registration {
  public:
    explicit Registration(const Gfid& gfid) : gfid_(gfid) { Registry::instance().insert(gfid_); }
    ~Registration() { Registry::instance().erase(gfid_); }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

  private:
    Gfid gfid_;
};

Temporary::Temporary(Object directory, std::string name, std::string final_name,
                     CreatedFile created)
    : directory_(std::move(directory)),
      name_(std::move(name)),
      final_name_(std::move(final_name)),
      created_(std::move(created)),
      registration_(std::make_unique<Registration>(created_.object.gfid())) {}

Result<Temporary> Temporary::make(const Object& directory, const std::string& final_name,
                                  mode_t mode) {
    const std::string name = temporary_name(final_name, random_id());
    SFG_TRY_ASSIGN(CreatedFile created, create_file(directory, name, mode));
    Temporary temporary(directory, name, final_name, std::move(created));
    SFG_TRY(temporary.file().lock_exclusively());
    return temporary;
}

Temporary::Temporary(Temporary&&) noexcept = default;

Temporary::~Temporary() {
    if (registration_ == nullptr) return;  // moved from, or published
    if (auto removed = remove_file(directory_, name_, ChangeLeave()); !removed)
        log_warning("temporary file '" + escaped(name_) +
                    "' is left for a later refresh: " + removed.error().message());
}

Result<void> Temporary::publish(const std::function<Result<void>()>& check) {
    SFG_TRY(link(created_.object, directory_, final_name_));
    // The flush before was of the data. The name is in the brick's journal only now (see
    // make_durable).
    auto checked = file().flush();
    if (checked) {
        checked = check();
        if (!checked && checked.error().kind() != ErrorKind::not_found &&
            checked.error().kind() != ErrorKind::busy)
            checked = {};
    }
    if (!checked) {
        take_back();
        return checked.error();
    }
    // From here on the volume stands. What fails now is untidy and no more.
    if (auto removed = remove_file(directory_, name_, ChangeLeave()); !removed)
        log_warning("temporary file '" + escaped(name_) +
                    "' is left for a later refresh: " + removed.error().message());
    registration_.reset();
    return {};
}

void Temporary::take_back() {
    Result<void> removed;
    const auto stands = lookup(directory_, final_name_);
    if (stands && stands->gfid() != created_.object.gfid()) return;
    if (stands) removed = remove_file(directory_, final_name_, ChangeLeave());
    if (!stands && stands.error().kind() != ErrorKind::not_found) removed = stands.error();
    if (!removed)
        log_warning("'" + escaped(final_name_) +
                    "', which was not to be made, stays: " + removed.error().message());
}

Result<void> make_durable(const Object& directory, const std::string& name) {
    SFG_TRY_ASSIGN(Temporary temporary, Temporary::make(directory, name, 0600));
    return temporary.file().flush();
}

class Sweep {
  public:
    // Whether nobody works on the file; nobody does as long as the answer is kept.
    static Result<File> lock(const Object& temporary) {
        SFG_TRY_ASSIGN(File file, File::open_for_writing(temporary, ChangeLeave()));
        SFG_TRY(file.lock_exclusively());
        return file;
    }

    static Result<void> remove(const ScannedTemporary& temporary) {
        return remove_file(temporary.directory, last_of(temporary.name), ChangeLeave());
    }
};

void sweep_temporaries(const OpenPool& pool, const std::vector<ScannedTemporary>& found) {
    // A refresh holds the pool's lock: the rest is for the next one.
    constexpr std::size_t kMostAtOnce = 64;
    const auto oldest_kept =
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) -
        settings().temporary_age.count();
    std::size_t tried = 0;
    for (const auto& temporary : found) {
        if (tried == kMostAtOnce) break;
        if (!temporary.object.is_file() || temporary.object.stat().st_mtime > oldest_kept ||
            temporary.object.stat().st_ctime > oldest_kept ||
            Registry::instance().contains(temporary.object.gfid()))
            continue;
        ++tried;
        const auto file = Sweep::lock(temporary.object);
        if (!file) continue;
        if (!Sweep::remove(temporary)) continue;
        log_info(pool.pool.described() + ": removed the left-over temporary file '" +
                 escaped(temporary.name) + "'");
        remove_parents(pool, temporary.name);
    }
}

}  // namespace sfg
