// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "driver/core/error.hpp"

namespace sfg {

// A value or the Error that stood in its way. What std::expected will be once the compilers of
// Debian 12 have it; the names are chosen so that moving over is a search and replace.
template <typename T>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(*-explicit-*)
    Result(Error error)
        : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const { return std::get<1>(state_); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT(*-explicit-*)

    bool has_value() const { return !error_.has_value(); }
    explicit operator bool() const { return has_value(); }
    const Error& error() const { return *error_; }

  private:
    std::optional<Error> error_;
};

}  // namespace sfg

// Leaves the enclosing function with the error of `expression`, a Result<void>.
#define SFG_TRY(expression)                                                                     \
    do {                                                                                        \
        if (auto sfg_try_result = (expression); !sfg_try_result) return sfg_try_result.error(); \
    } while (false)

// Declares `variable` with the value of `expression`, or leaves with its error.
#define SFG_TRY_ASSIGN(variable, expression) \
    SFG_TRY_ASSIGN_IMPL(SFG_TRY_CONCAT(sfg_try_, __LINE__), variable, expression)
#define SFG_TRY_CONCAT_IMPL(left, right) left##right
#define SFG_TRY_CONCAT(left, right) SFG_TRY_CONCAT_IMPL(left, right)
#define SFG_TRY_ASSIGN_IMPL(holder, variable, expression) \
    auto holder = (expression);                           \
    if (!holder) return holder.error();                   \
    variable = *std::move(holder)
