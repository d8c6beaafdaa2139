// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/journal.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <utility>

namespace sfg::test::random {

Journal::Journal(const std::string& path)
    : path_(path), file_(std::fopen(path.c_str(), "we"), &std::fclose) {}

double Journal::seconds(Time time) const {
    return std::chrono::duration<double>(time - started_).count();
}

void Journal::write(const std::string& line) {
    if (!file_) return;
    std::fprintf(file_.get(), "%9.3f %s\n", seconds(Clock::now()), line.c_str());
    std::fflush(file_.get());
}

std::string Journal::line_of(const Operation& operation) const {
    char times[64];
    std::snprintf(times, sizeof(times), "%.3f-%.3f", seconds(operation.begin),
                  operation.ended ? seconds(operation.end) : 0.0);
    std::string line = "#" + std::to_string(operation.number) + " " + times + " " + operation.who +
                       ": " + text_of(operation.verb) + " " + operation.text + " -> ";
    if (!operation.ended) return line + "has not ended";
    if (operation.nothing_asked) return line + "not asked: " + operation.message;
    if (operation.code == 0) return line + "done";
    return line + std::to_string(operation.code) +
           (operation.was_moving ? " in the middle: " : ": ") + operation.message;
}

void Journal::begin(Operation& operation) {
    const std::lock_guard held(mutex_);
    operation.number = next_++;
    operation.begin = Clock::now();
    operations_.push_back(operation);
    write("#" + std::to_string(operation.number) + " " + operation.who + ": " +
          text_of(operation.verb) + " " + operation.text);
}

void Journal::end(Operation& operation) {
    const std::lock_guard held(mutex_);
    if (operation.end == Time{}) operation.end = Clock::now();
    operation.ended = true;
    write(line_of(operation));
    for (auto one = operations_.rbegin(); one != operations_.rend(); ++one)
        if (one->number == operation.number) {
            *one = operation;
            return;
        }
}

void Journal::note(const std::string& text) {
    const std::lock_guard held(mutex_);
    write("== " + text);
}

std::vector<Operation> Journal::take() {
    const std::lock_guard held(mutex_);
    return std::exchange(operations_, {});
}

std::chrono::seconds Journal::oldest() const {
    const std::lock_guard held(mutex_);
    Clock::duration longest{0};
    for (const auto& one : operations_)
        if (!one.ended) longest = std::max(longest, Clock::now() - one.begin);
    return std::chrono::duration_cast<std::chrono::seconds>(longest);
}

std::string Journal::tail(std::size_t lines) const {
    std::ifstream file(path_);
    std::deque<std::string> last;
    for (std::string line; std::getline(file, line);) {
        last.push_back(line);
        if (last.size() > lines) last.pop_front();
    }
    std::string all;
    for (const auto& line : last) all += line + "\n";
    return all;
}

}  // namespace sfg::test::random
