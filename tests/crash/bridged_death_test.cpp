// Appends of a joined room, by a process that is killed: at each crash point of the bridge's, and
// after each instruction of the bridge's and of a worker's. The log is repaired as the master does
// it, and a successor begins with the state in force: each message is in the log once, and the
// state is that of the log.
//
// Where the instructions are too many, as with sanitizers, some are tried: CHATSERV_TEST_SEED
// chooses them.
#include "shared/segment/crash_point.h"
#include "tests/harness/seed.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/joined_segment.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <optional>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using Deed = std::function<void()>;
using Result = BridgedAppender::Result;

constexpr uint64_t deaths_max = 3000; // of one test

class BridgedDeathTest : public testing::Test {
protected:
    BridgedDeathTest() {
        segment_.bridge.commit(progress(1));
        EXPECT_EQ(append(2), Result::appended); // so that both copies have been written
        EXPECT_EQ(append(3), Result::appended);
    }

    // What is known when the message of this number has been read.
    [[nodiscard]] RoomProgress progress(uint64_t number) {
        expected_ = {{11, number}, {12, 2 * number}};
        return {.applied_number = number,
            .applied_digest = number + 100,
            .applied_hash = number + 200,
            .epoch = 1,
            .counted = number + 300,
            .base = number + 400,
            .expected = expected_};
    }
    [[nodiscard]] static std::string message(uint64_t number) {
        return "message " + std::to_string(number) + ".";
    }
    Result append(uint64_t number) {
        const std::string text = message(number);
        const std::vector<BridgedChunk> chunks{
            {slot_0, 1, 3, number}, {slot_1, 1, static_cast<uint32_t>(text.size()) - 3, number}};
        return segment_.bridge.append(
            {.bytes = text, .chunks = chunks, .ours = number % 2 == 0}, progress(number));
    }

    // The number of the message that was read last, by a successor's look. The whole state and the
    // end of the log are that message's.
    [[nodiscard]] uint64_t last_read(uint64_t head_before) const {
        repair_logs(segment_.mapping, segment_.mapping.bridge_entry());
        const auto state = BridgedAppender(segment_.mapping).state_in_force();
        if (!state)
            return 0;
        const uint64_t number = state->applied_number;
        EXPECT_EQ(state->applied_digest, number + 100);
        EXPECT_EQ(state->applied_hash, number + 200);
        EXPECT_EQ(state->counted, number + 300);
        EXPECT_EQ(state->base, number + 400);
        EXPECT_EQ(state->expected.size(), 2U);
        EXPECT_EQ(state->expected[1].offset, 2 * number);
        EXPECT_EQ(segment_.mapping.log_control().lock, 0U);
        expect_index_is_whole(head_before);
        return number;
    }
    void expect_index_is_whole(uint64_t from) const {
        uint64_t end = from;
        segment_.log.for_each_chunk_after(
            from, [&](const IndexEntry& chunk, uint64_t) { end = chunk.end; });
        EXPECT_EQ(end, segment_.log.head());
    }

    // The bridge dies while it appends the message of this number, or commits that it was read.
    void survive(uint64_t number, uint64_t head, bool has_bytes) {
        const uint64_t read = last_read(head);
        const std::string added = segment_.text_after(head);
        if (read == number - 1) {
            EXPECT_EQ(added, "");
            if (has_bytes)
                EXPECT_EQ(append(number), Result::appended);
            else
                segment_.bridge.commit(progress(number));
        } else {
            EXPECT_EQ(read, number);
        }
        EXPECT_EQ(last_read(head), number);
        EXPECT_EQ(segment_.text_after(head), has_bytes ? message(number) : "");
    }

    JoinedSegment segment_;
    std::vector<ExpectedRecord> expected_;
};

// --- crash points ------------------------------------------------------------------------------

struct Case {
    CrashPoint point;
    bool committed; // with the bytes
    bool in_state;  // the point is also one of a commit without bytes
    const char* name;
};
constexpr Case cases[]{
    {CrashPoint::room_made, false, false, "RoomMade"},
    {CrashPoint::bytes_copied, false, false, "BytesCopied"},
    {CrashPoint::index_written, false, false, "IndexWritten"},
    {CrashPoint::state_torn, false, true, "StateTorn"},
    {CrashPoint::state_unsealed, false, true, "StateUnsealed"},
    {CrashPoint::state_written, false, true, "StateWritten"},
    {CrashPoint::intended, false, false, "Intended"},
    {CrashPoint::committed, true, false, "Committed"},
    {CrashPoint::batch_noted, true, false, "BatchNoted"},
};

class BridgedCrashPointTest : public BridgedDeathTest, public testing::WithParamInterface<Case> {
protected:
    void die_within(const Deed& deed) const {
        const TemporaryDirectory folder;
        (void)folder.file(std::to_string(static_cast<unsigned>(GetParam().point)), "armed");
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::setenv("CHATSERV_CRASH_DIR", folder.path().c_str(), 1);
            deed();
            ::_exit(0);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it came no such way";
    }
};

TEST_P(BridgedCrashPointTest, LeavesTheMessageWholeOrUnread) {
    const uint64_t head = segment_.log.head();
    die_within([&] { (void)append(4); });
    EXPECT_EQ(last_read(head), GetParam().committed ? 4U : 3U);
    survive(4, head, true);
    if (!GetParam().in_state)
        return;
    const uint64_t head_after = segment_.log.head();
    die_within([&] { segment_.bridge.commit(progress(5)); });
    EXPECT_EQ(last_read(head_after), GetParam().point == CrashPoint::state_written ? 5U : 4U);
    survive(5, head_after, false);
}

INSTANTIATE_TEST_SUITE_P(W10, BridgedCrashPointTest, testing::ValuesIn(cases),
    [](const auto& tested) { return tested.param.name; });

// --- every instruction -------------------------------------------------------------------------

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
    EXPECT_GT(deaths, 100U) << "that was no append";
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
