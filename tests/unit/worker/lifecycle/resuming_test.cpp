// Clients that resume, whose workers die or hand them over before they are answered, and after it.
#include "tests/unit/worker/lifecycle/two_workers_test.h"
#include "worker/relay/resume_line.h"

namespace chatserv {
namespace {

class ResumingTest : public TwoWorkersTest {
protected:
    ResumingTest() {
        join(0, entry_0);
        join(1, entry_0);
        say(0, "0123456789");
        serve_both();
    }

    // Slot 2 is a client of `entry` that resumes.
    void join_to_resume(EntryId entry) {
        users_[SlotId{2}].role = static_cast<uint8_t>(Role::resume);
        users_[SlotId{2}].answer = 77; // of the slot's former client
        join(2, entry);
    }

    [[nodiscard]] Cursor cursor() const { return cursor_of(users_[SlotId{2}]); }
    [[nodiscard]] std::string answer(Answer word, uint64_t offset) const {
        return std::string(AnswerLine(word, segment_.log_control().life, offset).text());
    }
};

TEST_F(ResumingTest, WaitsAtNoOffsetUntilItsLineIsWhole) {
    join_to_resume(entry_0);
    for (const char* const piece : {"res", "ume", " 4"}) {
        say(2, piece);
        serve(entry_0);
        EXPECT_EQ(cursor().log_offset, log_offset_none);
        EXPECT_EQ(take_events(entry_0), 0U) << "the line wakes the worker again and again";
    }
    EXPECT_EQ(users_.lowest_cursor(10), 10U);
    say(2, "\n");
    serve(entry_0);
    EXPECT_EQ(heard_by(2), answer(Answer::from, 4) + "456789");
    EXPECT_EQ(cursor().log_offset, 10U);
    serve(entry_0);
    EXPECT_EQ(take_events(entry_0), 0U) << "its input is not thrown away";
    say(0, "more");
    serve(entry_0);
    EXPECT_EQ(heard_by(2), "more");
    EXPECT_EQ(heard_by(1), "0123456789more");
}

// W9, before the commit.
TEST_F(ResumingTest, IsAskedAgainByASuccessor) {
    join_to_resume(entry_0);
    say(2, "resume 4\n");
    users_[SlotId{2}].answer = static_cast<uint8_t>(Answer::gone);
    begin_worker(entry_0);
    EXPECT_EQ(heard_by(2), "");
    serve(entry_0);
    EXPECT_EQ(heard_by(2), answer(Answer::from, 4) + "456789");
}

// W9, after it.
TEST_F(ResumingTest, GetsTheRestOfItsAnswerFromASuccessor) {
    join_to_resume(entry_0);
    users_[SlotId{2}].answer = static_cast<uint8_t>(Answer::gone);
    move_cursor(users_[SlotId{2}], {.bytes_written = 7, .log_offset = 3});
    begin_worker(entry_0);
    EXPECT_EQ(heard_by(2), answer(Answer::gone, 3).substr(7) + "3456789");
    EXPECT_EQ(users_[SlotId{2}].answer, static_cast<uint8_t>(Answer::none));
}

TEST_F(ResumingTest, CanBeMovedBeforeItSaysAnything) {
    join_to_resume(entry_0);
    say(2, "resume");
    serve(entry_0);
    move(2, entry_0, entry_1);
    say(2, " oldest\r\n");
    serve(entry_1);
    EXPECT_EQ(heard_by(2), answer(Answer::from, 0) + "0123456789");
}

TEST_F(ResumingTest, IsGivenItsPlaceWhenTheLogsLockIsFree) {
    join_to_resume(entry_0);
    say(2, "resume 4\n");
    lock_log();
    serve(entry_0);
    serve(entry_0);
    EXPECT_EQ(heard_by(2), "");
    unlock_log();
    worker(entry_0).settle();
    EXPECT_EQ(heard_by(2), answer(Answer::from, 4) + "456789");
}

TEST_F(ResumingTest, IsServedFromNowOnWhenItSaysNothing) {
    join_to_resume(entry_0);
    const auto late = std::chrono::steady_clock::now() + Resuming::patience;
    worker(entry_0).timer(Timer::resume, {.served = {}, .steady = late - Resuming::patience});
    worker(entry_0).settle();
    EXPECT_EQ(heard_by(2), "");
    worker(entry_0).timer(Timer::resume, {.served = {}, .steady = late});
    worker(entry_0).settle();
    EXPECT_EQ(heard_by(2), answer(Answer::from, 10));
}

// A worker that was stopped for long finds the line and the end of its patience at once.
TEST_F(ResumingTest, IsHeardBeforeItIsJudged) {
    join_to_resume(entry_0);
    say(2, "resume 4\n");
    const auto late = std::chrono::steady_clock::now() + Resuming::patience;
    worker(entry_0).timer(Timer::resume, {.served = {}, .steady = late});
    worker(entry_0).settle();
    EXPECT_EQ(heard_by(2), answer(Answer::from, 4) + "456789");
}

TEST_F(ResumingTest, LeavesIfItsFirstLineIsWrong) {
    join_to_resume(entry_0);
    say(2, "hello\n");
    serve(entry_0);
    worker(entry_0).settle();
    const std::vector<ClosedClient> closed = worker(entry_0).take_report().closed;
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].client, client_id(2));
    EXPECT_EQ(closed[0].reason, LeaveReason::bad_request);
    EXPECT_EQ(heard_by(2), "");
}

} // namespace
} // namespace chatserv
