// Doorbells: who is woken for what, and that no wake-up is ever lost between two processes.
#include "shared/ipc/doorbell.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/event_queue.h"
#include "tests/unit/segment.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

struct Bells {
    explicit Bells(const Segment& segment) :
        doorbells(segment.worker_table(), pipes),
        first(segment.worker_table()[0], pipes[0].first.get()),
        second(segment.worker_table()[1], pipes[1].first.get()) {}

    FdPair pipes[2] = {make_pipe(), make_pipe()};
    Doorbells doorbells;
    Doorbell first, second;
};

bool rang(const Doorbell& doorbell) {
    char byte = 0;
    return ::read(doorbell.listening_end(), &byte, 1) == 1;
}

TEST(Doorbell, RingsOnlyWhoSleepsAndWantsToHearOfIt) {
    const SmallSegment segment;
    const Bells bells(segment.mapping);
    bells.doorbells.ring(wake_on_growth, entry_0);
    EXPECT_FALSE(rang(bells.second)) << "it was awake";
    bells.second.announce_sleep(wake_never | wake_on_unlock);
    bells.doorbells.ring(wake_on_growth, entry_0);
    EXPECT_FALSE(rang(bells.second)) << "it did not ask for that";
    bells.doorbells.ring(wake_on_unlock, entry_1);
    EXPECT_FALSE(rang(bells.second)) << "nobody rings its own bell";
    bells.doorbells.ring(wake_on_unlock, entry_0);
    EXPECT_TRUE(rang(bells.second));
    bells.doorbells.ring(wake_on_unlock, entry_0);
    EXPECT_FALSE(rang(bells.second)) << "once is enough";
    bells.doorbells.ring_all();
    EXPECT_TRUE(rang(bells.first) && rang(bells.second));
}

TEST(Doorbell, AFullPipeIsRungAlready) {
    const SmallSegment segment;
    const Bells bells(segment.mapping);
    for (int i = 0; i < 200'000; ++i)
        bells.doorbells.ring_all();
    bells.first.empty_pipe();
    EXPECT_FALSE(rang(bells.first));
}

enum class Watched : uint8_t { doorbell = 1 };

// One side of the exchange: each of its turns is published in `mine`, and it sleeps, without any
// timeout, until the other's has come. A single lost wake-up leaves both asleep for good.
void take_turns(
    const Bells& bells, uint32_t self, uint64_t& mine, const uint64_t& theirs, uint64_t turns) {
    const Doorbell& bell = self == 0 ? bells.first : bells.second;
    EventQueue events;
    ASSERT_EQ(events.watch_readable(bell.listening_end(), Watched::doorbell), 0);
    for (uint64_t turn = 1; turn <= turns; ++turn) {
        store_release(mine, turn);
        bells.doorbells.ring(wake_on_growth, EntryId{self});
        while (load_acquire(theirs) < turn) {
            bell.announce_sleep(wake_never | wake_on_growth);
            if (load_acquire(theirs) < turn) {
                (void)events.wait();
                bell.empty_pipe();
            }
            bell.wake_up();
        }
    }
}

TEST(Doorbell, LosesNoWakeUpBetweenTwoProcesses) {
    constexpr uint64_t turns = 100'000;
    const SmallSegment segment;
    const Bells bells(segment.mapping);
    uint64_t& a = segment.mapping.log_control().room_wanted; // any two words of the segment
    uint64_t& b = segment.mapping.log_control().tail;
    const pid_t pid = ::fork();
    ASSERT_NE(pid, -1);
    if (pid == 0) {
        take_turns(bells, 1, b, a, turns);
        ::_exit(0);
    }
    take_turns(bells, 0, a, b, turns);
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

} // namespace
} // namespace chatserv
