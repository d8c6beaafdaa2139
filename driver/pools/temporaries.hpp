// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/pools/scan.hpp"

namespace sfg {

// A file in work: made under a temporary name beside its final one, locked for other processes
// and registered for this one until it is published or dropped. The destructor drops it.
class Temporary {
  public:
    // In `directory`, for a volume whose last component is `final_name`. ErrorKind::not_found
    // where the directory has vanished.
    static Result<Temporary> make(const Object& directory, const std::string& final_name,
                                  mode_t mode);

    Temporary(Temporary&&) noexcept;
    Temporary& operator=(Temporary&&) = delete;
    ~Temporary();

    File& file() { return created_.file; }
    const Object& object() const { return created_.object; }
    const std::string& name() const { return name_; }  // beside the final one

    // Gives the file its final name without overwriting (ErrorKind::exists where it is taken), on
    // stable storage. All of it must have been flushed. Where that fails, or `check` says that it
    // must not be (one that cannot tell does not count), the name is taken back. Afterwards the
    // temporary name is gone, or is left to the sweep.
    Result<void> publish(const std::function<Result<void>()>& check);

  private:
    class Registration;

    // The final name, if it is still this file's.
    void take_back();

    Temporary(Object directory, std::string name, std::string final_name, CreatedFile created);

    Object directory_;
    std::string name_;
    std::string final_name_;
    CreatedFile created_;
    std::unique_ptr<Registration> registration_;
};

// Sees to it that `name`, which was made in or removed from `directory` a moment ago, is so on
// stable storage. A brick answers fsyncdir without doing anything (posix-inode-fd-ops.c,
// posix_fsyncdir), but a flush of one of its files brings all to disk that its file system did
// before (the journals of ext4 and XFS): that of a temporary which distribution puts on the brick
// that has the name.
Result<void> make_durable(const Object& directory, const std::string& name);

// Removes those of `found` that are old (settings().temporary_age), not this process's and locked
// by nobody. A file that was published has its other name and stays under that: what killed
// processes left behind, and the marked directories that this leaves empty.
void sweep_temporaries(const OpenPool& pool, const std::vector<ScannedTemporary>& found);

}  // namespace sfg
