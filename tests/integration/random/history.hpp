// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The model: what may have become of each file, by what was asked of it and told about it.
//
// Each call takes effect at some moment between its begin and its end, or, where it failed in a
// way that does not tell, maybe not at all. So a call cannot be the last that had its way with a
// name if another one that was told as done began after its end. What is left are candidates: where
// these agree the model is sure, and where they do not it says nothing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/random/operation.hpp"

namespace sfg::test::random {

// When a brick was away, or not every client had found it again.
struct Outage {
    Time begin;
    Time end;
};

enum class Fate {
    done,
    refused,  // surely nothing has changed
    unknown,  // it may have happened, or be half done
};

class History {
  public:
    // `initial` is what there was when the first of `operations` began.
    History(std::map<std::string, FileState> initial, std::vector<Operation> operations,
            std::vector<Outage> outages);

    const std::vector<Operation>& operations() const { return operations_; }
    const FileState& initial(const std::string& name) const;
    bool calm(Time begin, Time end) const;  // no outage in that time
    Fate fate(const Operation& operation) const;

    // What `name` was for the whole time from `begin` to `end`, as far as it is sure. `apart` is
    // left out.
    std::optional<FileState> state(const std::string& name, Time begin, Time end,
                                   const Operation* apart = nullptr) const;

    // Whether there was a file of that name at some moment between these: one answer where it is
    // sure.
    std::set<bool> may_exist(const std::string& name, Time begin, Time end) const;

    // Calls on a name that have or may have changed something.
    std::vector<const Operation*> changes(const std::string& name) const;
    // One of them over FUSE, at the time of `operation` and of the looks around it.
    bool fuse_interferes(const std::string& name, const Operation& operation) const;
    bool untouched(const std::string& name) const { return changes(name).empty(); }
    // Neither it nor what it is an overlay of was touched, as far down as there was a chain.
    bool chain_untouched(const std::string& name) const;

  private:
    enum class Kind { make, remove, change };
    struct Event {
        const Operation* operation;
        Kind kind;
        bool sure;
        Time begin;
        Time end;  // when it has surely happened, or never will
    };

    void add(const std::string& name, const Operation& operation, Kind kind);
    FileState after(const std::string& name, const Event& event) const;

    std::map<std::string, FileState> initial_;
    std::vector<Operation> operations_;
    std::vector<Outage> outages_;
    std::map<std::string, std::vector<Event>> events_;
};

// The same time for both, at least in part.
inline bool overlap(const Operation& one, const Operation& other) {
    return one.begin <= other.end && other.begin <= one.end;
}

}  // namespace sfg::test::random
