// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "driver/gluster/object.hpp"
#include "driver/images/image_info.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// A file or directory as it was last seen under a name.
struct KnownFile {
    Gfid gfid;                                    // for a link the link's own
    struct stat stat {};                          // for a link of what it leads to
    std::shared_ptr<const ImageInfo> image = {};  // files only; null where it was not read
};

using NamedFiles = std::vector<std::pair<std::string, KnownFile>>;  // mostly by path

// What each pool of this process lists: which file stands under which name. A change is made to the
// file that was listed and to no other that somebody put there since, and what one pool lists is no
// leave for another one to remove it: libvirt asks for the deletion of a volume that it could not
// make (storage_driver.c, storageVolCreateXMLFrom), though its name may be taken by a file that
// another pool, over the same tree, knows well.
//
// Pools are told apart by name and gluster volume, files by their path from the volume's root.
// Thread-safe; makes no gluster call.
class Catalogue {
  public:
    static Catalogue& instance();

    struct Key {
        std::string pool;
        std::string volume_id;
        auto operator<=>(const Key&) const = default;
    };

    // The file that the pool lists under `path`, or listed there and is deleted.
    std::optional<Gfid> listed(const Key& pool, const std::string& path);
    // What pools of the gluster volume list there and was not deleted, with the pools' names.
    NamedFiles listed_anywhere(const std::string& volume_id, const std::string& path);
    // The files of the gluster volume that name further ones, as they were last read.
    NamedFiles dependent_images(const std::string& volume_id);

    // The files of other gluster volumes of which `wanted` is true, with the pools that list them,
    // or did before they were stopped: in an outage libvirt stops a pool that cannot be refreshed.
    struct ListedFile {
        std::string pool;
        std::string volume_id;
        std::string path;
        KnownFile file;
    };
    std::vector<ListedFile> images_elsewhere(const std::string& volume_id,
                                             bool (*wanted)(const ImageInfo& image));

    // The pool has made `file` under `path`, and libvirt will list it.
    void made(const Key& pool, const std::string& path, const KnownFile& file);
    // The pool was asked for what stands under `path`. Where it lists another file there, that one
    // stays listed: nobody has asked to see the list anew.
    void seen(const Key& pool, const std::string& path, const KnownFile& file);
    // The file is deleted. It stays the one that was listed there, until the pool's next refresh or
    // until the pool makes another: libvirt's list of another pool still has the name (and this
    // pool's, where the caller has stopped waiting), and what somebody puts under it is not it.
    void deleted(const std::string& volume_id, const std::string& path, const Gfid& gfid);

    // A creation failed: libvirt may ask for the volume's deletion, which has nothing to remove.
    // For that one deletion, which libvirt asks for without letting go of the pool's lock;
    // forgotten at the next success and at the next refresh. By the names of the pool and of the
    // volume in it: gluster may not have been reached.
    void note_failed_creation(const std::string& pool, const std::string& volume);
    bool take_failed_creation(const std::string& pool, const std::string& volume);

    // A refresh begins: what is learned from now on is newer than what it sees.
    std::uint64_t begin_refresh();

    // The refresh that began at `since` has seen `files`: replaces what the pool listed before.
    // Where it was not `complete`, since a part of the gluster volume could not be seen, what it
    // has not seen stays listed, and is the answer.
    NamedFiles replace(const Key& pool, std::uint64_t since, const NamedFiles& files,
                       bool complete);

    // The pool is active no more, whatever gluster volume it is of. What of it names further files
    // is kept for images_elsewhere until the pool is listed anew.
    void forget(const std::string& pool);

  private:
    struct Entry {
        KnownFile file;
        std::uint64_t learned;  // by moments_
        bool deleted = false;
    };
    using List = std::unordered_map<std::string, Entry>;  // by path

    std::vector<Key> lists_of(const std::string& volume_id) const;
    void drop_headers(const std::string& volume_id);

    std::mutex mutex_;
    std::map<Key, List> lists_;
    std::map<Key, std::map<std::string, ListedFile>> stopped_;                 // by path
    std::map<std::string, std::unordered_set<std::string>> failed_creations_;  // by pool
    std::uint64_t moments_ = 0;
};

Catalogue::Key key_of(const OpenPool& pool);

}  // namespace sfg
