// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "driver/gluster/object.hpp"
#include "driver/images/image_info.hpp"

namespace sfg {

// What the headers of images say, so that each is read once. One for all pools, keyed by volume-id
// and gfid: whatever names lead to a file, there is one answer. Thread-safe; makes no gluster call.
class HeaderCache {
  public:
    static HeaderCache& instance();

    // The image of a file, as read when its size and times were those of `now`; null where it was
    // not.
    std::shared_ptr<const ImageInfo> find(const std::string& volume_id, const Gfid& gfid,
                                          const struct stat& now);
    // The image of a file as it was last read, however long ago; null where it never was. For what
    // cannot be read just now.
    std::shared_ptr<const ImageInfo> last_read(const std::string& volume_id, const Gfid& gfid);

    void insert(const Object& file, std::shared_ptr<const ImageInfo> info);

    // The image that this process has just built and flushed, of that size and time: saves the
    // next look at it from reading it.
    void insert_built(const std::string& volume_id, const Gfid& gfid, off_t size,
                      const timespec& modified, std::shared_ptr<const ImageInfo> info);

    void erase(const std::string& volume_id, const Gfid& gfid);
    // Drops all but those of `present`.
    void keep_only(const std::string& volume_id, const std::unordered_set<Gfid>& present);

  private:
    struct Image {
        off_t size;
        timespec modified;
        std::optional<timespec> changed;  // nothing for a built one: set at the first look
        std::shared_ptr<const ImageInfo> info;
    };

    std::mutex mutex_;
    std::map<std::string, std::unordered_map<Gfid, Image>> volumes_;  // by volume-id
};

}  // namespace sfg
