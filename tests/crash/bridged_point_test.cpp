// W10: the bridge is killed at each crash point of an append, and of a commit without bytes.
#include "shared/segment/crash_point.h"
#include "tests/crash/bridged_death.h"
#include "tests/harness/temporary_directory.h"

#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

// Where crash points look, from the first one on.
struct Armed {
    Armed() { ::setenv("CHATSERV_CRASH_DIR", folder.path().c_str(), 1); }

    TemporaryDirectory folder;
};
const Armed armed;

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
        const pid_t pid = ::fork();
        if (pid == 0) {
            (void)armed.folder.file(std::to_string(static_cast<unsigned>(GetParam().point)) + "." +
                                        std::to_string(::getpid()),
                "die here");
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

} // namespace
} // namespace chatserv::test
