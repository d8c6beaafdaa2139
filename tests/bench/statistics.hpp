// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace sfg::bench {

// The times of one operation on one pool, in milliseconds.
class Samples {
  public:
    template <typename Operation>
    void time(Operation operation) {
        const auto start = std::chrono::steady_clock::now();
        operation();
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - start;
        milliseconds_.push_back(took.count());
    }

    void add(double milliseconds) { milliseconds_.push_back(milliseconds); }

    bool empty() const { return milliseconds_.empty(); }
    std::size_t count() const { return milliseconds_.size(); }

    double median() const {
        auto sorted = milliseconds_;
        std::sort(sorted.begin(), sorted.end());
        const std::size_t middle = sorted.size() / 2;

        return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

  private:
    std::vector<double> milliseconds_;
};

}  // namespace sfg::bench
