// The bridge of a joined room, and a worker that appends for it, are killed after any number of
// instructions of an append. Some numbers are tried, chosen by CHATSERV_TEST_SEED, or all of them
// if CHATSERV_TEST_ALL_INSTRUCTIONS is 1 (or as many, where sanitizers make them too many).
#include "tests/crash/bridged_death.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

// Runs the deed in a process that is killed after that many instructions. False if it had come to
// its end before; nothing if the system lets no process be traced.
std::optional<bool> die_after(uint64_t instructions, const Deed& deed) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == -1)
            ::_exit(2);
        ::raise(SIGSTOP);
        deed();
        ::_exit(0);
    }
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return std::nullopt;
    for (uint64_t step = 0; step < instructions; ++step) {
        if (::ptrace(PTRACE_SINGLESTEP, pid, nullptr, nullptr) == -1 ||
            ::waitpid(pid, &status, 0) != pid)
            return std::nullopt;
        if (!WIFSTOPPED(status))
            return false;
    }
    ::kill(pid, SIGKILL);
    (void)::waitpid(pid, &status, 0);
    return true;
}

// Calls live(death), which makes the deed once and returns what die_after() has returned, for each
// number of instructions until there are no more, or for some of them.
void for_each_death(const std::function<std::optional<bool>(uint64_t)>& live) {
    uint64_t longest = 1;
    for (std::optional<bool> died = true; *died; longest *= 2) {
        died = live(longest);
        if (!died)
            GTEST_SKIP() << "no process can be traced here";
        if (testing::Test::HasFailure())
            return;
    }
    const uint64_t deaths_max =
        number_from_environment("CHATSERV_TEST_ALL_INSTRUCTIONS", 0) == 1 ? 10'000 : 400;
    const uint64_t stride = std::max<uint64_t>(1, longest / deaths_max);
    const uint64_t first = base_seed() % stride;
    uint64_t deaths = 0;
    for (uint64_t at = first; live(at).value_or(false); at += stride) {
        ++deaths;
        if (testing::Test::HasFailure()) {
            ADD_FAILURE() << "killed after " << at << " instructions";
            return;
        }
    }
    EXPECT_GT(deaths, 80U) << "that was no append";
}

TEST_F(BridgedDeathTest, AfterAnyInstructionOfAnAppend) {
    uint64_t number = 3;
    for_each_death([&](uint64_t instructions) {
        ++number;
        const uint64_t head = segment_.log.head();
        const auto died = die_after(instructions, [&] { (void)append(number); });
        survive(number, head, true);
        return died;
    });
}

TEST_F(BridgedDeathTest, AfterAnyInstructionOfACommitWithoutBytes) {
    uint64_t number = 3;
    for_each_death([&](uint64_t instructions) {
        ++number;
        const uint64_t head = segment_.log.head();
        const auto died =
            die_after(instructions, [&] { segment_.bridge.commit(progress(number)); });
        survive(number, head, false);
        return died;
    });
}

// The bridge reads the outbound log without the lock, and before the master has repaired it.
TEST_F(BridgedDeathTest, AfterAnyInstructionOfAWorkersAppend) {
    const ClientId sender = segment_.attach(0);
    uint64_t number = 0;
    for_each_death([&](uint64_t instructions) {
        const std::string text = message(++number);
        const uint64_t head = segment_.outbound.head();
        segment_.stage(sender, text.substr(0, 3));
        segment_.stage(sender, text.substr(3));
        const auto died = die_after(instructions, [&] { (void)segment_.publish(); });
        const auto seen = segment_.stretches_from(head);
        EXPECT_TRUE(seen.empty() || seen.front() == text);
        repair_logs(segment_.mapping, entry_0);
        const Staging staging(segment_.mapping, entry_0);
        EXPECT_EQ(staging.published() || staging.empty(), !seen.empty());
        if (seen.empty())
            EXPECT_TRUE(segment_.publish());
        else if (staging.published())
            staging.clear();
        EXPECT_EQ(segment_.stretches_from(head), std::vector<std::string>{text});
        EXPECT_EQ(segment_.outbound.read(head).chunks.size(), 2U);
        (void)segment_.outbound.count_up_to(segment_.outbound.head());
        return died;
    });
}

} // namespace
} // namespace chatserv::test
