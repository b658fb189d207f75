// Host names: the addresses found, and that no lookup waits forever for a name service.
#include "master/config/resolver.h"

#include "shared/system/fd.h"

#include <algorithm>
#include <cerrno>
#include <gtest/gtest.h>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;

TEST(Resolver, FindsTheLoopback) {
    const Resolved resolved = look_up("localhost");
    ASSERT_FALSE(resolved.addresses.empty()) << resolved.error;
    for (const Address& address : resolved.addresses)
        EXPECT_TRUE(address.text() == "127.0.0.1:0" || address.text() == "[::1]:0")
            << address.text();
}

// hosts(5) often has the same line for localhost twice.
TEST(Resolver, FindsEachAddressOnce) {
    std::vector<std::string> texts;
    const Resolved resolved = look_up("localhost");
    for (const Address& address : resolved.addresses)
        texts.push_back(address.text());
    std::sort(texts.begin(), texts.end());
    EXPECT_EQ(std::adjacent_find(texts.begin(), texts.end()), texts.end());
}

TEST(Resolver, ReportsAFailedLookup) {
    const Resolved resolved = look_up("no-such-name.invalid"); // RFC 6761, 6.4
    EXPECT_TRUE(resolved.addresses.empty());
    EXPECT_NE(resolved.error, "");
}

// Standard error, to be read by this process.
class HeardErrors {
public:
    HeardErrors() : former_(::dup(STDERR_FILENO)), pipe_(make_pipe()) {
        EXPECT_NE(::dup2(pipe_.second.get(), STDERR_FILENO), -1);
    }
    ~HeardErrors() { ::dup2(former_.get(), STDERR_FILENO); }
    HeardErrors(const HeardErrors&) = delete;
    HeardErrors& operator=(const HeardErrors&) = delete;

    // Waits for output.
    [[nodiscard]] std::string read() const {
        ::pollfd input{.fd = pipe_.first.get(), .events = POLLIN, .revents = 0};
        while (::poll(&input, 1, -1) == -1 && errno == EINTR) {
        }
        return read_now();
    }
    [[nodiscard]] std::string read_now() const {
        char bytes[4096];
        const ssize_t got = ::read(pipe_.first.get(), bytes, sizeof bytes);
        return {bytes, got > 0 ? static_cast<size_t>(got) : 0};
    }

private:
    UniqueFd former_;
    FdPair pipe_; // not blocking
};

TEST(Resolver, LogsNothingForAQuickAnswer) {
    const HeardErrors errors;
    const Resolved resolved = look_up_in_time(
        [](const std::string& name) {
            return Resolved{{}, "not " + name};
        },
        "a", "--listen", {.silent = std::chrono::minutes(10), .limit = std::chrono::minutes(20)});
    EXPECT_EQ(resolved.error, "not a");
    EXPECT_EQ(errors.read_now(), "");
}

// The name service answers only once the line is out.
TEST(Resolver, LogsThatItWaitsAndUsesALateAnswer) {
    const HeardErrors errors;
    std::string said;
    const Resolved resolved = look_up_in_time(
        [&](const std::string&) {
            said = errors.read();
            return Resolved{{Address::loopback(AF_INET, 0)}, ""};
        },
        "a", "--listen \"a:1\"", {.silent = milliseconds(10), .limit = std::chrono::minutes(10)});
    EXPECT_EQ(
        said, "chatserv: still looking up the name a (--listen \"a:1\"), for at most 600 s\n");
    EXPECT_EQ(resolved.addresses.size(), 1U);
    EXPECT_EQ(errors.read_now(), "");
}

TEST(ResolverDeathTest, GivesUpOnANameServiceThatDoesNotAnswer) {
    const auto never = [](const std::string&) -> Resolved {
        for (;;)
            ::pause();
    };
    EXPECT_EXIT((void)look_up_in_time(never, "a", "--listen \"a:1\"",
                    {.silent = milliseconds(10), .limit = milliseconds(10)}),
        testing::ExitedWithCode(EX_UNAVAILABLE),
        "^chatserv: still looking up the name a .*\n"
        "chatserv: looking up the name a [(]--listen \"a:1\"[)] took longer than 0.01 s: "
        "check that the name service responds, or give the address\n$");
}

} // namespace
} // namespace chatserv
