// The kinds of values that options have, from which the rows of option_table.cpp are made.
#pragma once

#include "master/config/option_table.h"
#include "master/config/option_values.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace chatserv {

template <typename Value>
std::function<void(Options&, const Options&)> copy_of(Value Options::*member) {
    return [=](Options& to, const Options& from) { to.*member = from.*member; };
}

[[nodiscard]] OptionKind count(uint32_t Options::*member, uint32_t min, uint32_t max);

// A 32 or 64 bit number of bytes.
template <typename Number>
[[nodiscard]] OptionKind bytes(
    Number Options::*member, uint64_t min, uint64_t max, const char* unit);

// With `none`, 0 is allowed too and means that there is no limit.
[[nodiscard]] OptionKind seconds(
    std::chrono::milliseconds Options::*member, double max_seconds, bool none);

template <typename Value>
using Words = std::vector<std::pair<std::string, Value>>;

// One of several words. The words in `others` are accepted too, but not mentioned.
template <typename Value>
[[nodiscard]] OptionKind word(
    Value Options::*member, Words<Value> words, Words<Value> others = {}) {
    std::string allowed;
    for (const auto& [text, value] : words) {
        const bool last = text == words.back().first;
        allowed += (allowed.empty() ? "" : last ? " or " : ", ") + text;
    }
    return {allowed,
        [=](Options& options, const Setting& setting) {
            for (const Words<Value>& each : {words, others})
                for (const auto& [text, value] : each)
                    if (text == in_lower_case(setting.text)) {
                        options.*member = value;
                        return;
                    }
            reject_value(setting, allowed);
        },
        [=](const Options& options) {
            for (const auto& [text, value] : words)
                if (options.*member == value)
                    return text;
            return std::string();
        },
        copy_of(member)};
}

// Any printable text that is not empty.
[[nodiscard]] OptionKind text(std::string Options::*member, const std::string& allowed,
    size_t bytes_max = std::numeric_limits<size_t>::max());

[[nodiscard]] OptionKind networks(std::vector<Network> Options::*member);

using ParseAddress = ListenAddress (*)(const Setting&);
// `flag`: of the option.
[[nodiscard]] OptionKind addresses(std::vector<ListenAddress> Options::*member,
    const std::string& flag, const char* allowed, ParseAddress parse);

// --source.
[[nodiscard]] OptionKind sources();
// Given without a value on the command line, it means yes.
[[nodiscard]] OptionKind yes_or_no(bool Options::*member);

// --user, --unix-mode, --unix-group.
[[nodiscard]] OptionKind user();
[[nodiscard]] OptionKind mode(uint32_t Options::*member);
[[nodiscard]] OptionKind group();

// --replay.
[[nodiscard]] OptionKind replay();

} // namespace chatserv
