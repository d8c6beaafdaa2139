// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/integration/random/bricks.hpp"
#include "tests/integration/random/history.hpp"

namespace sfg::test::random {

// What must not be, by the kind of it.
struct Finding {
    std::string rule;
    std::string text;
    std::vector<std::string> names;  // whose calls tell how it came to that; first what is wrong
};

// Holds what is there against the model. It speaks of what is sure only.
class Judge {
  public:
    Judge(const History& history, const Snapshot& before, const Snapshot& after)
        : history_(history), before_(before), after_(after) {}

    std::vector<Finding> findings();

  private:
    void files_are_what_was_told();
    void looks_agree();
    void agree(const std::string& name, const Look& look, const std::string& when);
    void contents(const std::string& name, const FileState& wanted, const FileState& found,
                  const std::string& when);
    void bases_were_spared();
    void overlays_have_their_bases();
    bool base_went_by_fuse(const std::string& overlay, const std::string& base) const;
    void deleted_is_deleted();
    void nothing_else_is_there();
    void images_are_sound();
    void reads_were_right();
    bool is_being_made_here(const std::string& name, const Operation& asking) const;
    void lists_were_right();
    bool was_listed_before(const std::string& name, const Operation& refresh) const;

    void found(const std::string& rule, const std::string& text, std::vector<std::string> names) {
        findings_.push_back({rule, text, std::move(names)});
    }
    bool is_there(const std::string& name) const { return after_.files.contains(name); }

    const History& history_;
    const Snapshot& before_;
    const Snapshot& after_;
    std::vector<Finding> findings_;
};

}  // namespace sfg::test::random
