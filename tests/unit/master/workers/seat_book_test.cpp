// The seat book: what a successor finds of the worker processes, wherever its predecessor died.
#include "master/workers/seat_book.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/fd.h"
#include "tests/unit/ids.h"
#include "tests/unit/small_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr SeatId seat{1};
constexpr pid_t pid = 4711;

class SeatBookTest : public testing::Test {
protected:
    // As a successor reads it.
    [[nodiscard]] std::vector<SeatBook::Seated> found() const { return SeatBook(ledger_).seated(); }
    [[nodiscard]] SeatBook::Seated only_one() const {
        const std::vector<SeatBook::Seated> all = found();
        EXPECT_EQ(all.size(), 1U);
        return all.at(0);
    }
    void start() {
        const PidWord word = seats_.note_starting(seat, rendezvous_.first.get());
        ASSERT_TRUE(replace_if(*word.word, word.unset, pid));
    }

    FdPair rendezvous_ = make_stream_pair();
    Ledger ledger_ = small_ledger();
    SeatBook seats_{ledger_};
};

TEST_F(SeatBookTest, HasNobodyAtFirst) {
    EXPECT_THAT(found(), IsEmpty());
    EXPECT_THAT(seats_.dead_entries(), IsEmpty());
    EXPECT_TRUE(may_reap(ledger_, pid));
}

TEST_F(SeatBookTest, KnowsAProcessBeforeItIsForked) {
    (void)seats_.note_starting(seat, rendezvous_.first.get());
    const SeatBook::Seated one = only_one();
    EXPECT_EQ(one.seat, seat);
    EXPECT_EQ(one.state, SeatState::starting);
    EXPECT_EQ(one.pid, 0);
    EXPECT_EQ(one.rendezvous, rendezvous_.first.get());
}

// A master dies after fork(2), the next one gives the seat to another process, and only then the
// first process runs.
TEST_F(SeatBookTest, DoesNotTakeAPidThatComesLate) {
    const PidWord late = seats_.note_starting(seat, rendezvous_.first.get());
    seats_.note_empty(seat);
    EXPECT_FALSE(replace_if(*late.word, late.unset, pid + 1));
    const PidWord next = seats_.note_starting(seat, rendezvous_.first.get());
    EXPECT_FALSE(replace_if(*late.word, late.unset, pid + 1));
    EXPECT_TRUE(replace_if(*next.word, next.unset, pid));
    EXPECT_EQ(only_one().pid, pid);
}

TEST_F(SeatBookTest, FollowsALife) {
    start();
    EXPECT_EQ(only_one().pid, pid);
    seats_.note_ready(seat);
    EXPECT_EQ(only_one().state, SeatState::ready);
    EXPECT_EQ(only_one().entry, std::nullopt);
    seats_.note_manned(entry_1, seat);
    EXPECT_EQ(only_one().entry, entry_1);
    EXPECT_FALSE(only_one().proven);
    seats_.note_proven(seat);
    EXPECT_TRUE(only_one().proven);
    seats_.note_end(seat, std::string(1000, 'x'));
    EXPECT_EQ(only_one().ended_because, std::string(sizeof(SeatRecord::cause) - 1, 'x'));
    EXPECT_FALSE(may_reap(ledger_, pid));

    seats_.note_exit(seat, entry_1);
    EXPECT_EQ(only_one().state, SeatState::ended);
    EXPECT_EQ(only_one().entry, std::nullopt) << "nobody serves an entry whose process has died";
    EXPECT_THAT(seats_.dead_entries(), ElementsAre(entry_1));
    EXPECT_FALSE(may_reap(ledger_, pid));

    seats_.note_empty(seat);
    EXPECT_THAT(found(), IsEmpty());
    EXPECT_TRUE(may_reap(ledger_, pid));
    EXPECT_THAT(seats_.dead_entries(), ElementsAre(entry_1)) << "until it is manned";

    start();
    EXPECT_EQ(only_one().ended_because, "") << "of another process";
    EXPECT_FALSE(only_one().proven);
    seats_.note_manned(entry_1, seat);
    EXPECT_THAT(seats_.dead_entries(), IsEmpty());
}

TEST_F(SeatBookTest, ADeadEntryThatGetsNoProcessIsVacant) {
    start();
    seats_.note_manned(entry_1, seat);
    EXPECT_FALSE(seats_.note_vacant(entry_1)) << "a process has it";
    EXPECT_EQ(only_one().entry, entry_1);
    seats_.note_exit(seat, entry_1);
    EXPECT_TRUE(seats_.note_vacant(entry_1));
    EXPECT_FALSE(seats_.note_vacant(entry_1)) << "it is vacant already";
    EXPECT_THAT(seats_.dead_entries(), IsEmpty());
}

// The entry's record names a seat that another process has now.
TEST_F(SeatBookTest, DoesNotGiveADeadEntryToTheNextProcessOfItsSeat) {
    start();
    seats_.note_manned(entry_0, seat);
    seats_.note_exit(seat, entry_0);
    seats_.note_empty(seat);
    start();
    EXPECT_EQ(only_one().entry, std::nullopt);
}

TEST_F(SeatBookTest, ForgetsARendezvousThatWasClosedBeforeItWasUnNoted) {
    start();
    put_seats_in_order(ledger_);
    EXPECT_EQ(only_one().rendezvous, rendezvous_.first.get());
    rendezvous_.first.reset();
    put_seats_in_order(ledger_);
    EXPECT_EQ(only_one().rendezvous, -1);
}

// The number may be another file's before the process has exited.
TEST_F(SeatBookTest, HasNoRendezvousOfAProcessThatIsToEndByItself) {
    start();
    seats_.note_end(seat, "the server was upgraded");
    seats_.note_rendezvous_closed(seat);
    EXPECT_EQ(only_one().rendezvous, -1);
    EXPECT_EQ(only_one().pid, pid);
    EXPECT_EQ(only_one().ended_because, "the server was upgraded") << "a successor kills it";
}

// Its master died in the midst of note_starting().
TEST_F(SeatBookTest, ForgetsTheRendezvousOfASeatThatIsStillEmpty) {
    NotedFd& of_empty_seat = ledger_.seats()[index_of(seat)].rendezvous;
    of_empty_seat = noted(rendezvous_.first.get());
    put_seats_in_order(ledger_);
    EXPECT_EQ(number_of(of_empty_seat), -1);
    EXPECT_TRUE(rendezvous_.first) << "whoever closes what is not noted closes it";
}

} // namespace
} // namespace chatserv
