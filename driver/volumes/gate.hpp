// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/attendance.hpp"
#include "driver/gluster/object.hpp"
#include "driver/images/image_info.hpp"
#include "driver/pools/file_use.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// The gate: how one gets at the file of a volume to change or delete it. There is no other way:
// nobody else can open a file that is there for writing (ChangeLeave in gluster/file.hpp). (Bases
// and sources of copies are read through chains/.)

// "volume 'x' of pool 'p'"
std::string volume_described(const Pool& pool, const std::string& name);

// A volume that is a regular file.
struct VolumeFile {
    Object object;
    std::string path;  // from the volume's root, links worked out
};

// Looks the file of a volume up for reading; a link is followed where it stays in the pool, as it
// is when the pool is listed. Errors, without the volume's name: not_found where it is gone,
// not_connected where a brick that is away may have it, unsupported for a directory.
Result<VolumeFile> look_up_to_read(const OpenPool& pool, const std::string& name);

// What a change takes away from the volumes that have the changed one as their base.
struct Loss {
    enum class Of {
        nothing,  // it only grows
        tail,     // what is behind `capacity`
        all,
    };
    Of of = Of::all;
    std::uint64_t capacity = 0;  // bytes
};

// A volume that is taken for a change: no other process works with it, over gfapi or over FUSE, and
// none that needs what is to be lost hangs on it, as long as this is there.
class TakenVolume {
  public:
    const Object& object() const { return object_; }
    const std::string& path() const { return path_; }  // from the volume's root
    // What it was when it had been taken.
    const ImageInfo& image() const { return *image_; }
    // Open for writing.
    File& file() { return used_.file; }

    // Records its format, so that it wins over probing from now on.
    Result<void> record_format(const std::string& format);

  private:
    friend class Gate;
    TakenVolume(Object object, std::string path, std::shared_ptr<const ImageInfo> image,
                UsedFile used)
        : object_(std::move(object)),
          path_(std::move(path)),
          image_(std::move(image)),
          used_(std::move(used)) {}

    Object object_;
    std::string path_;
    std::shared_ptr<const ImageInfo> image_;
    UsedFile used_;
};

class Gate {
  public:
    Gate(const OpenPool& pool, std::string name) : pool_(pool), name_(std::move(name)) {}

    // What `doing` ("it is being wiped") takes away, once it is known what the volume is; an error
    // refuses the change.
    using Judge = std::function<Result<Loss>(const ImageInfo& image)>;

    // The way of every change: the file that this pool listed is looked up, no link followed; it is
    // held, so that nobody works with it and nobody begins to; it is looked at again, since it may
    // have become another one before it was held; and it is nobody's base, with every brick in
    // sight (and remembering that it is held), as far as the change takes something away. Errors,
    // without the volume's name: not_found, not_connected, busy, unsupported, those of `judge`, and
    // of check_no_dependants.
    Result<TakenVolume> take(const std::string& doing, const Judge& judge);
    Result<TakenVolume> take(const std::string& doing);  // all is lost

    // The same way to its end: removes the file, or the directory if it is empty.
    Result<void> remove();
    // The same, of a file that the caller knows nobody to need: only held, and looked at.
    Result<void> remove_unneeded();

  private:
    Result<Object> look_up_listed() const;
    Result<Attended> check_dependants(const Object& object, const Loss& loss, UsedFile* used) const;
    Result<void> check_unneeded(const Object& object, UsedFile* used) const;
    Result<void> remove(bool may_be_needed);
    std::string path() const;

    const OpenPool& pool_;
    const std::string name_;
};

// Records the format of a file that is being made, so that it wins over probing from now on.
Result<void> record_format(const Object& object, const std::string& format);

}  // namespace sfg
