// The metrics process as masters see it, one after the other: started, missed, inherited, replaced.
#include "master/metrics/metrics_process.h"

#include "shared/segment/atomic_word.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

namespace fs = std::filesystem;

class MetricsProcessTest : public testing::Test {
protected:
    // A shell script in place of the program.
    void use_program(const std::string& commands) {
        const fs::path program = folder_.path() / "program";
        std::ofstream(program) << "#!/bin/sh\n" << commands << "\n";
        fs::permissions(program, fs::perms::owner_all);
        resources_.program.emplace(UniqueFd(), program.string());
        resources_.listeners.clear();
        resources_.listeners.emplace_back(*Address::parse("127.0.0.1:0"));
    }

    // A master of that program. None is ever deleted: what one has open its successor inherits.
    MetricsProcess& master(uint32_t upgrade = 0) {
        static auto* const all = new std::vector<MetricsProcess*>;
        all->push_back(
            new MetricsProcess(resources_, options_, segment_.mapping, ledger_, events_, upgrade));
        return *all->back();
    }

    // Turns of a master's loop, until it has no process any more.
    void turn_until_gone(MetricsProcess& metrics, bool wanted = true) {
        while (metrics.pid() != 0) {
            metrics.look(wanted);
            for (const EventQueue::Event& event : events_.wait(std::chrono::milliseconds(100)))
                if (is_exit(event))
                    (void)metrics.handle_exit(pid_of(event));
        }
    }
    static void turn_until_there(MetricsProcess& metrics) {
        while (metrics.pid() == 0)
            metrics.look(true);
    }
    // The child stores its pid. A seat without one is given up.
    void wait_until_it_has_its_seat() const {
        while (load_acquire(ledger_.metrics().front().pid) <= 0)
            ::usleep(1000);
    }
    [[nodiscard]] SeatState seat() const {
        return static_cast<SeatState>(ledger_.metrics().front().state);
    }

    const test::TemporaryDirectory folder_;
    const Options options_{.worker_uid = ::geteuid(), .worker_gid = ::getegid()};
    MetricsResources resources_{};
    SmallSegment segment_{};
    const Ledger ledger_ = small_ledger();
    EventQueue events_;
};

TEST_F(MetricsProcessTest, IsNotStartedWhereNobodyWantsIt) {
    MetricsProcess& none = master();
    none.look(true);
    EXPECT_EQ(none.pid(), 0) << "there is no --metrics";
    use_program("exec sleep 1000");
    MetricsProcess& early = master();
    early.look(false);
    EXPECT_EQ(early.pid(), 0) << "the server does not serve yet";
}

TEST_F(MetricsProcessTest, IsStartedAgainAfterAPauseWhenItDiesAtOnce) {
    use_program("exit 3");
    MetricsProcess& metrics = master();
    for (int deaths = 1; deaths <= 3; ++deaths) {
        turn_until_there(metrics);
        turn_until_gone(metrics);
        EXPECT_EQ(seat(), SeatState::empty);
        metrics.look(true);
        EXPECT_EQ(metrics.pid(), 0) << "not at once";
        ASSERT_TRUE(metrics.next_look().has_value());
    }
    EXPECT_EQ(ledger_.metrics().front().starts, 3U);
}

TEST_F(MetricsProcessTest, IsFoundByTheNextMasterAndEndedByIt) {
    use_program("exec sleep 1000");
    MetricsProcess& first = master();
    first.look(true);
    const pid_t pid = first.pid();
    ASSERT_NE(pid, 0);
    wait_until_it_has_its_seat();
    MetricsProcess& second = master();
    second.take_over();
    EXPECT_EQ(second.pid(), pid);
    EXPECT_FALSE(may_reap(ledger_, pid)) << "the next master does not know of its end yet";
    second.look(true);
    EXPECT_EQ(second.pid(), pid) << "one is enough";
    second.reap_child();
    EXPECT_EQ(second.pid(), pid) << "it is no child of that master";
    turn_until_gone(second, false);
    EXPECT_TRUE(second.take_may_reap());
    EXPECT_TRUE(may_reap(ledger_, pid));
    EXPECT_EQ(seat(), SeatState::empty);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

// The master died before it had forked, or its child has not said who it is.
TEST_F(MetricsProcessTest, ASeatWithoutAProcessIsGivenUp) {
    use_program("exec sleep 1000");
    FdPair lifeline = make_stream_pair();
    const int noted_lifeline = lifeline.first.release();
    const PidWord late = SeatBook(ledger_.metrics()).note_starting(SeatId{0}, noted_lifeline);
    MetricsProcess& next = master();
    next.take_over();
    EXPECT_EQ(next.pid(), 0);
    EXPECT_EQ(seat(), SeatState::empty);
    EXPECT_NE(*late.word, late.unset)
        << "a child that comes late finds that the seat is not its own";
    char byte = 0;
    EXPECT_EQ(::read(lifeline.second.get(), &byte, 1), 0) << "and that its lifeline has ended";
    next.look(true);
    EXPECT_NE(next.pid(), 0);
    turn_until_gone(next, false);
}

TEST_F(MetricsProcessTest, OneOfTheFormerProgramIsReplaced) {
    use_program("exec sleep 1000");
    MetricsProcess& former = master();
    former.look(true);
    const pid_t pid = former.pid();
    wait_until_it_has_its_seat();
    MetricsProcess& later = master(1);
    later.take_over();
    turn_until_gone(later);
    EXPECT_FALSE(later.next_look().has_value()) << "it has not died by itself: there is no pause";
    later.look(true);
    EXPECT_NE(later.pid(), 0);
    EXPECT_NE(later.pid(), pid);
    turn_until_gone(later, false);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

} // namespace
} // namespace chatserv
