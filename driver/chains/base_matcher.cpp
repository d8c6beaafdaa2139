// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/chains/base_matcher.hpp"

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/path.hpp"
#include "driver/core/settings.hpp"

namespace sfg {
namespace {

// Whether one who follows `path`, from the volume's root and with "..", comes by `link`.
bool goes_through(const std::string& path, const std::string& link) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
        if (normalized_below_root(std::string_view(path).substr(0, slash)) == link) return true;
    return false;
}

// "a/../b", not "../../b".
bool climbs_behind_a_name(const std::string& name) {
    bool named = false;
    for (const auto& component : path_components(name)) {
        if (component == ".." && named) return true;
        named = named || (component != ".." && component != ".");
    }
    return false;
}

}  // namespace

BaseMatcher::BaseMatcher(std::string volume, std::string path, const Gfid& base,
                         std::string mountinfo, Follow follow)
    : volume_(std::move(volume)),
      path_(std::move(path)),
      base_(base),
      mountinfo_(std::move(mountinfo)),
      follow_(std::move(follow)),
      names_{last_of(path_)} {}

void BaseMatcher::learn(std::string path, const Gfid& gfid) {
    files_.insert_or_assign(std::move(path), gfid);
}

void BaseMatcher::learn_name_of_base(const std::string& path) {
    names_.insert(last_of(path));
}

Result<BaseMatcher::Match> BaseMatcher::match(const std::string& image, const std::string& recorded,
                                              bool data_file) {
    Match worst = Match::no;
    const RecordedName name =
        data_file ? read_data_file_name(recorded) : read_recorded_name(recorded);
    for (const auto& file : name.files) {
        SFG_TRY_ASSIGN(const Match found, match_file(image, file));
        if (found == Match::yes) return found;
        if (found == Match::unclear) worst = found;
    }
    return worst;
}

Result<BaseMatcher::Match> BaseMatcher::match_elsewhere(const std::string& recorded,
                                                        bool data_file) {
    const RecordedName name =
        data_file ? read_data_file_name(recorded) : read_recorded_name(recorded);
    for (const auto& file : name.files) {
        if (file.kind != NamedFile::Kind::gluster && file.kind != NamedFile::Kind::local) continue;
        // There may be ten thousand of them, and the mount table is long.
        if (file.kind == NamedFile::Kind::local && !names_.contains(last_of(file.path))) continue;
        SFG_TRY_ASSIGN(const Match found, where_it_says("", file));
        if (found == Match::yes) return found;
    }
    return Match::no;
}

Result<BaseMatcher::Match> BaseMatcher::match_file(const std::string& image,
                                                   const NamedFile& file) {
    SFG_TRY_ASSIGN(const Match found, where_it_says(image, file));
    // Behind a link to a directory ".." is not what stands before it.
    return found == Match::no && file.climbs ? tail(file.path) : found;
}

Result<BaseMatcher::Match> BaseMatcher::where_it_says(const std::string& image,
                                                      const NamedFile& file) {
    switch (file.kind) {
        case NamedFile::Kind::relative:
            return relative(image, file.path);
        case NamedFile::Kind::gluster:
            // Whatever host it names: one that is not known here may be another name of one that
            // is.
            if (file.volume != volume_) return Match::no;
            return in_volume(file.path);
        case NamedFile::Kind::local:
            return local(file.path);
        case NamedFile::Kind::working_directory:
            return tail(file.path);
        case NamedFile::Kind::elsewhere:
            return Match::no;
        case NamedFile::Kind::unknown:
            break;
    }
    return Match::unclear;
}

Result<BaseMatcher::Match> BaseMatcher::relative(const std::string& image,
                                                 const std::string& name) {
    const std::string written = join_path(parent_of(image), name);
    if (goes_through(written, path_)) return Match::yes;
    SFG_TRY_ASSIGN(Match found, in_volume(normalized_below_root(written)));
    if (found != Match::no || name.find("..") == std::string::npos) return found;
    // Behind a link to a directory ".." is not what stands before it. What the image itself stands
    // in are no links: a walk goes through none. So most names, "../../base", need no question.
    if (climbs_behind_a_name(name)) {
        SFG_TRY_ASSIGN(found, in_volume(written));
        if (found != Match::no) return found;
    }
    // Over gfapi ".." of the root is the root; over a FUSE mount "../mount/base" leaves the volume
    // and comes back.
    return normalized(written) ? found : tail(name);
}

Result<BaseMatcher::Match> BaseMatcher::local(const std::string& path) {
    if (const auto fuse = parse_fuse_path(path, mountinfo_)) {
        if (fuse->volume.empty()) return tail(path);
        if (fuse->volume != volume_) return Match::no;
        return in_volume(fuse->path);
    }
    // What the administrator says is this host's own.
    for (const auto& directory : settings().local_base_directories)
        if (const auto normal = normalized(directory);
            normal && !normal->empty() && is_below(path.substr(1), *normal))
            return Match::no;
    return tail(path);
}

Result<BaseMatcher::Match> BaseMatcher::in_volume(const std::string& path) {
    // Where the base is a link to a directory, what lies behind it is reached through it.
    if (path == path_ || is_below(path, path_)) return Match::yes;
    if (const auto file = files_.find(path); file != files_.end())
        return file->second == base_ ? Match::yes : Match::no;
    if (const auto known = answers_.find(path); known != answers_.end()) return known->second;
    const auto target = follow_(path);
    if (!target && target.error().kind() == ErrorKind::not_connected) return target.error();
    Match answer = Match::no;
    if (target)
        answer = *target == base_ ? Match::yes : Match::no;
    else if (target.error().kind() != ErrorKind::not_found)
        answer = Match::unclear;
    answers_.emplace(path, answer);
    return answer;
}

// A path of which this host cannot tell where it leads: another host may have the base's directory
// mounted there, or a link of this one may lead to it. The file's own name is one of the base's,
// then.
BaseMatcher::Match BaseMatcher::tail(const std::string& path) const {
    return names_.contains(last_of(path)) ? Match::unclear : Match::no;
}

}  // namespace sfg
