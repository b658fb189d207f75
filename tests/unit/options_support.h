// Options as a test writes them, and their refusals.
//
// A refusal is one line that can be printed. It names the place, and says what would be right.
#pragma once

#include "master/config/option_table.h"
#include "master/config/options.h"
#include "shared/system/failure.h"
#include "tests/support/temporary_directory.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatserv {

using Environment = std::vector<std::pair<std::string, std::string>>;
using Words = std::vector<std::string>;

// Nothing that the tests' own environment says is heard while it lives.
class ScopedEnvironment {
public:
    explicit ScopedEnvironment(const Environment& environment) {
        for (const OptionRow& row : option_table())
            set(row.variable(), nullptr);
        set(std::string(config_variable), nullptr);
        for (const auto& [name, value] : environment)
            set(name, value.c_str());
    }
    ~ScopedEnvironment() {
        for (auto saved = saved_.rbegin(); saved != saved_.rend(); ++saved)
            if (saved->second)
                ::setenv(saved->first.c_str(), saved->second->c_str(), 1);
            else
                ::unsetenv(saved->first.c_str());
    }
    ScopedEnvironment(const ScopedEnvironment&) = delete;
    ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

private:
    void set(const std::string& name, const char* value) {
        const char* const before = std::getenv(name.c_str());
        saved_.emplace_back(
            name, before == nullptr ? std::nullopt : std::optional<std::string>(before));
        if (value == nullptr)
            ::unsetenv(name.c_str());
        else
            ::setenv(name.c_str(), value, 1);
    }

    std::vector<std::pair<std::string, std::optional<std::string>>> saved_{};
};

inline Options options_of(const Words& arguments, const Environment& environment = {}) {
    const ScopedEnvironment scope(environment);
    std::vector<const char*> argv{"chatserv"};
    for (const std::string& argument : arguments)
        argv.push_back(argument.c_str());
    argv.push_back(nullptr);
    return parse_options(static_cast<int>(argv.size()) - 1, argv.data()).value();
}

struct Refusal {
    int status = 0; // 0: nothing was refused
    std::string line{};
};

inline Refusal refusal_of(const Words& arguments, const Environment& environment = {}) {
    try {
        (void)options_of(arguments, environment);
        return {};
    } catch (const Failure& failure) {
        return {failure.exit_status(), failure.what()};
    }
}

inline void expect_refusal(const Refusal& refusal, int status, const Words& words) {
    EXPECT_EQ(refusal.status, status) << refusal.line;
    EXPECT_TRUE(is_printable(refusal.line)) << refusal.line;
    EXPECT_LT(refusal.line.size(), 700U) << refusal.line;
    for (const std::string& word : words)
        EXPECT_THAT(refusal.line, testing::HasSubstr(word));
}

class OptionsUnitTest : public testing::Test {
protected:
    [[nodiscard]] std::string file(std::string_view content) const {
        return directory_.file("b.conf", content);
    }
    [[nodiscard]] Refusal refusal_of_file(std::string_view content) const {
        return refusal_of({"--config", file(content)});
    }
    [[nodiscard]] Options options_of_file(std::string_view content) const {
        return options_of({"--config", file(content)});
    }

    test::TemporaryDirectory directory_;
};

template <typename Items>
std::vector<std::string> texts_of(const Items& items) {
    std::vector<std::string> texts;
    for (const auto& item : items)
        texts.push_back(item.text());
    return texts;
}

} // namespace chatserv
