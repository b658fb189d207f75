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
    for (uint32_t number = 1; number <= static_cast<uint32_t>(LeaveReason::room_unread); ++number) {
        const Departure departure{.reason = static_cast<LeaveReason>(number), .error = EIO};
        EXPECT_EQ(row_of(departure).reason, departure.reason) << number;
        EXPECT_NE(text_of(departure, 0ms), "") << number;
    }
}

TEST(Departures, KnowWhatAWorkerCanSay) {
    EXPECT_TRUE(is_told_by_workers(LeaveReason::end_of_file));
    EXPECT_TRUE(is_told_by_workers(LeaveReason::idle));
    EXPECT_TRUE(is_told_by_workers(LeaveReason::kicked));
    EXPECT_TRUE(is_told_by_workers(LeaveReason::bad_request));
    EXPECT_TRUE(is_told_by_workers(LeaveReason::room_over));
    EXPECT_TRUE(is_told_by_workers(LeaveReason::room_unread));
    EXPECT_FALSE(is_told_by_workers(LeaveReason::overwritten));
    EXPECT_FALSE(is_told_by_workers(LeaveReason::no_worker));
    EXPECT_FALSE(is_told_by_workers(LeaveReason::source_removed));
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

TEST(Departures, SendALastLineToThoseThatAreSentAwayAlone) {
    for (const DepartureRow& row : departure_rows())
        EXPECT_EQ(std::string(row.line_to_peer),
            row.reason == LeaveReason::idle     ? "idle for too long!\n"
            : row.reason == LeaveReason::kicked ? "you were disconnected by an operator!\n"
            : row.reason == LeaveReason::bad_request
                ? "the first line must be: resume, and from where!\n"
                : "");
    for (const RefusalRow& row : refusal_rows()) {
        const std::string line = row.line_to_peer;
        const bool is_told = row.refusal != Refusal::proxy_in_doubt &&
                             row.refusal != Refusal::proxy_check; // nobody would read it
        EXPECT_EQ(!line.empty(), is_told) << row.name;
        EXPECT_TRUE(line.empty() || line.back() == '\n') << row.name;
    }
}

} // namespace
} // namespace chatserv
