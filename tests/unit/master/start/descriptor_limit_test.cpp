// The limit of descriptors that a server sets for itself. Tried in children of the test.
#include "master/start/descriptor_limit.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <optional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

// The soft limit that is in force in the end, if this process may have had that limit before; and
// what was returned.
struct Result {
    rlim_t limit;
    int needed;
};
std::optional<Result> limit_after(rlim_t before, const Options& options) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = before;
        limit.rlim_max = std::max(limit.rlim_max, before); // root may raise it
        if (::setrlimit(RLIMIT_NOFILE, &limit) == -1)
            ::_exit(1);
        const int needed = ensure_descriptor_limit(options);
        ::getrlimit(RLIMIT_NOFILE, &limit);
        const Result result{.limit = limit.rlim_cur, .needed = needed};
        ::_exit(::write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    Result result{};
    const bool said = status == 0 && ::read(ends[0], &result, sizeof result) == sizeof result;
    ::close(ends[0]);
    ::close(ends[1]);
    return said ? std::optional(result) : std::nullopt;
}

TEST(DescriptorLimit, IsRaisedToWhatTheOptionsNeed) {
    Options options;
    options.users = 500;
    const auto result = limit_after(64, options);
    if (!result)
        GTEST_SKIP() << "this user may not have so many";
    EXPECT_GT(result->needed, 500);
    EXPECT_EQ(result->limit, static_cast<rlim_t>(result->needed));
}

TEST(DescriptorLimit, IsLeftAsItIsIfItSuffices) {
    const auto result = limit_after(1000, Options{});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->limit, 1000U);
    EXPECT_LT(result->needed, 1000);
}

TEST(DescriptorLimit, IsLoweredIfItIsFarAbove) {
    const auto result = limit_after(70'000, Options{});
    if (!result)
        GTEST_SKIP() << "this user may not have so many";
    EXPECT_EQ(result->limit, 65'536U);
}

TEST(DescriptorLimit, IsNeverLoweredBelowTheNeed) {
    Options options;
    options.users = 80'000;
    const auto result = limit_after(90'000, options);
    if (!result)
        GTEST_SKIP() << "this user may not have so many";
    EXPECT_GT(result->needed, 80'000);
    EXPECT_EQ(result->limit, static_cast<rlim_t>(result->needed));
}

} // namespace
} // namespace chatserv
