// The metrics process as masters see it, one after the other: started, missed, inherited, replaced.
#include "master/metrics/metrics_process.h"

#include "tests/unit/master/companions/companion_test.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {
namespace {

class MetricsProcessTest : public CompanionTest<MetricsProcess> {
protected:
    using CompanionTest::master;

    void use_program(const std::string& commands) override {
        resources_.program.emplace(script(commands));
        resources_.listeners.clear();
        resources_.listeners.emplace_back(*Address::parse("127.0.0.1:0"));
    }
    MetricsProcess& master(uint32_t upgrade) override {
        return kept(std::make_unique<MetricsProcess>(
            resources_, options_, segment_.mapping, ledger_, events_, upgrade));
    }
    [[nodiscard]] SeatRecord& seat_record() const override { return ledger_.metrics().front(); }

    const Options options_{.worker_uid = ::geteuid(), .worker_gid = ::getegid()};
    MetricsResources resources_{};
    SmallSegment segment_{};
};

TEST_F(MetricsProcessTest, IsNotStartedWhereNobodyWantsIt) {
    MetricsProcess& none = master();
    none.look(true);
    EXPECT_EQ(none.pid(), 0) << "there is no --metrics";
    use_program(lives_on);
    MetricsProcess& early = master();
    early.look(false);
    EXPECT_EQ(early.pid(), 0) << "the server does not serve yet";
}

TEST_F(MetricsProcessTest, IsStartedAgainAfterAPauseWhenItDiesAtOnce) {
    use_program("exit 3");
    MetricsProcess& metrics = master();
    for (uint32_t starts = 1; starts <= 3; ++starts) {
        turn_until(metrics, [&] { return seat_record().starts == starts && metrics.pid() == 0; });
        EXPECT_EQ(seat(), SeatState::empty);
        metrics.look(true);
        EXPECT_EQ(metrics.pid(), 0) << "not at once";
        ASSERT_TRUE(metrics.next_look().has_value());
    }
}

TEST_F(MetricsProcessTest, IsFoundByTheNextMasterAndEndedByIt) {
    expect_that_the_next_master_finds_and_ends_it();
}

TEST_F(MetricsProcessTest, ASeatWithoutAProcessIsGivenUp) {
    expect_that_a_seat_without_a_process_is_given_up();
}

TEST_F(MetricsProcessTest, OneOfTheFormerProgramIsReplaced) {
    use_program(lives_on);
    const pid_t pid = turn_until_there(master());
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
