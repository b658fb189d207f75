// Staffing: what the master does while it has fewer workers than it was asked for.
#include "master/workers/staffing.h"

#include "shared/system/failure.h"
#include "tests/unit/master/workers/early_exit.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <sysexits.h>

namespace chatserv {
namespace {

using Verdict = Staffing::Verdict;

const StartFailure refused{.why = "fork: Resource temporarily unavailable", .error = EAGAIN};

Staff staff_of(uint32_t served, uint32_t spares = 0, uint32_t starting = 0) {
    return {
        .entries = 2, .served = served, .spares = spares, .spares_wanted = 1, .starting = starting};
}

TEST(StaffingTest, HasNothingToSayWhereNoStartHasFailed) {
    Staffing staffing;
    EXPECT_FALSE(staffing.any_missing());
    staffing.note_failure(std::nullopt);
    EXPECT_FALSE(staffing.any_missing());
}

TEST(StaffingTest, WaitsForTheProcessesThatAreOnTheirWay) {
    Staffing staffing;
    staffing.note_failure(refused);
    EXPECT_EQ(staffing.look(staff_of(1, 0, 1), 0, false), Verdict::undecided);
    EXPECT_EQ(staffing.look(staff_of(1), 0, false), Verdict::workers_missing);
}

TEST(StaffingTest, StartsWithTheWorkersThatThereAre) {
    Staffing staffing;
    staffing.note_failure(refused);
    EXPECT_EQ(staffing.look(staff_of(0), 0, true), Verdict::undecided);
    EXPECT_EQ(staffing.look(staff_of(1), 0, true), Verdict::start_serving);
    EXPECT_EQ(staffing.look(staff_of(1), 0, false), Verdict::workers_missing);
}

TEST(StaffingTest, GivesUpAStartWithoutAnyWorker) {
    Staffing staffing;
    for (int i = 0; i < 4; ++i)
        staffing.note_failure(refused);
    EXPECT_EQ(staffing.look(staff_of(0), 0, true), Verdict::undecided);
    staffing.note_failure(refused);
    try {
        (void)staffing.look(staff_of(0), 0, true);
        FAIL() << "the start went on";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.exit_status(), EX_UNAVAILABLE);
    }
}

TEST(StaffingTest, IsCompleteWhenEveryProcessThatIsWantedIsReady) {
    Staffing staffing;
    staffing.note_failure(refused);
    (void)staffing.look(staff_of(1), 0, false);
    staffing.note_ready(staff_of(1, 1));
    EXPECT_TRUE(staffing.any_missing()) << "two are missing, and one is ready";
    staffing.note_ready(staff_of(2, 1));
    EXPECT_TRUE(staffing.any_missing()) << "the log is still to be told";
    EXPECT_EQ(staffing.look(staff_of(2, 1), 0, false), Verdict::complete);
    EXPECT_FALSE(staffing.any_missing());
}

TEST(StaffingTest, IsCompleteWhenAReloadAsksForFewer) {
    Staffing staffing;
    staffing.note_failure(refused);
    EXPECT_EQ(staffing.look(staff_of(1), 0, false), Verdict::workers_missing);
    const Staff fewer{.entries = 1, .served = 1, .spares = 0, .spares_wanted = 0, .starting = 0};
    EXPECT_EQ(staffing.look(fewer, 0, false), Verdict::complete);
    EXPECT_FALSE(staffing.any_missing());
}

TEST(StaffingTest, EndsAStartThatCannotSucceed) {
    Staffing staffing;
    try {
        staffing.note_failed_start(
            early_exit(cannot_work(Hindrance::user, EPERM, "becoming user 1")), "", true);
        FAIL() << "the start went on";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.exit_status(), EX_NOPERM);
    }
    EXPECT_THROW(
        staffing.note_failed_start(early_exit(std::nullopt), "exit status 71", true), Failure);
    staffing.note_failed_start(
        early_exit(cannot_work(Hindrance::segment, ENOMEM, "mapping")), "", true);
    EXPECT_TRUE(staffing.any_missing()) << "a shortage can pass";
}

TEST(StaffingTest, GoesOnServingWhereAProcessCannotStart) {
    Staffing staffing;
    staffing.note_failed_start(early_exit(std::nullopt), "exit status 71", false);
    EXPECT_FALSE(staffing.any_missing()) << "the next one may start";
    staffing.note_failed_start(
        early_exit(cannot_work(Hindrance::user, EPERM, "becoming user 1")), "", false);
    EXPECT_TRUE(staffing.any_missing());
}

} // namespace
} // namespace chatserv
