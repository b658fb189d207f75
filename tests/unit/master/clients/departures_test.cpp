// The tables of reasons: every reason has a row, and the errno of a broken connection chooses it.
#include "master/clients/departures.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <string>

namespace chatserv {
namespace {

using namespace std::chrono_literals;

std::string name_of(LeaveReason reason, int error = 0) {
    return row_of(Departure{.reason = reason, .error = error}).name;
}

TEST(Departures, TellErrorsApart) {
    for (const LeaveReason reason : {LeaveReason::read_error, LeaveReason::write_error}) {
        EXPECT_EQ(name_of(reason, ECONNRESET), "reset");
        EXPECT_EQ(name_of(reason, EPIPE), "reset");
        EXPECT_EQ(name_of(reason, ETIMEDOUT), "timed_out");
        EXPECT_EQ(name_of(reason, EHOSTUNREACH), "error");
        EXPECT_EQ(name_of(reason, 0), "error");
    }
    EXPECT_EQ(name_of(LeaveReason::end_of_file, ECONNRESET), "end_of_file");
}

TEST(Departures, HaveARowForEachReason) {
    for (uint32_t number = 1; number <= static_cast<uint32_t>(LeaveReason::no_worker); ++number) {
        const Departure departure{.reason = static_cast<LeaveReason>(number), .error = EIO};
        EXPECT_EQ(row_of(departure).reason, departure.reason) << number;
        EXPECT_NE(text_of(departure, 0ms), "") << number;
    }
}

TEST(Departures, KnowWhatAWorkerCanSay) {
    EXPECT_TRUE(is_told_by_workers(LeaveReason::end_of_file));
    EXPECT_TRUE(is_told_by_workers(LeaveReason::idle));
    EXPECT_FALSE(is_told_by_workers(LeaveReason::overwritten));
    EXPECT_FALSE(is_told_by_workers(LeaveReason::no_worker));
    EXPECT_FALSE(is_told_by_workers(LeaveReason{0}));
    EXPECT_FALSE(is_told_by_workers(LeaveReason{77}));
}

TEST(Departures, FillInWhatTheTextLeavesOpen) {
    EXPECT_EQ(
        text_of({LeaveReason::read_error, EHOSTUNREACH}, 0ms), "read error: No route to host");
    EXPECT_EQ(text_of({LeaveReason::write_error, EPIPE}, 0ms), "connection reset");
    EXPECT_EQ(text_of({LeaveReason::idle}, 600s), "idle: it sent nothing for 600 s");
    EXPECT_EQ(text_of({LeaveReason::idle}, 100ms), "idle: it sent nothing for 0.1 s");
}

TEST(Departures, SendALastLineToIdleClientsAlone) {
    for (const DepartureRow& row : departure_rows())
        EXPECT_EQ(std::string(row.line_to_peer),
            row.reason == LeaveReason::idle ? "idle for too long!\n" : "");
    for (const RefusalRow& row : refusal_rows())
        EXPECT_EQ(std::string(row.line_to_peer).back(), '\n');
}

} // namespace
} // namespace chatserv
