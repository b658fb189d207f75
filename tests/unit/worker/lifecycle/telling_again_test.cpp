// A new channel to the master: what a worker says on it of its clients, and what it makes of
// clients that it is sent a second time.
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include <fcntl.h>
#include <gmock/gmock.h>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class TellingAgainTest : public ThreeTalkersTest {
protected:
    // What the worker says on a new channel, whatever became of its earlier reports.
    Report told_again(EntryId entry) {
        worker(entry).tell_again();
        return worker(entry).take_report();
    }
    static std::vector<ClientId> clients_of(const std::vector<ClosedClient>& closed) {
        std::vector<ClientId> clients;
        for (const ClosedClient& one : closed)
            clients.push_back(one.client);
        return clients;
    }
    void end_of(uint32_t slot) {
        ASSERT_EQ(::shutdown(peers_[slot].get(), SHUT_WR), 0);
        serve_both();
    }
};

TEST_F(TellingAgainTest, NamesAllClientsThatItServesAndThatItHasSettled) {
    const Report first = worker(entry_0).take_report();
    EXPECT_THAT(first.attached, ElementsAre(client_id(0), client_id(2)));
    EXPECT_EQ(first.settled_bytes, 0U);
    const Report second = worker(entry_0).take_report();
    EXPECT_THAT(second.attached, IsEmpty());
    EXPECT_FALSE(second.settled_bytes);

    const Report again = told_again(entry_0);
    EXPECT_THAT(again.attached, ElementsAre(client_id(0), client_id(2)));
    EXPECT_EQ(again.settled_bytes, 0U);
    EXPECT_THAT(worker(entry_0).take_report().attached, IsEmpty());
}

TEST_F(TellingAgainTest, NamesAClientThatHasLeftUntilTheMasterFreesItsSlot) {
    end_of(0);
    EXPECT_THAT(clients_of(worker(entry_0).take_report().closed), ElementsAre(client_id(0)));
    for (int channel = 0; channel < 3; ++channel) {
        const Report again = told_again(entry_0);
        ASSERT_THAT(clients_of(again.closed), ElementsAre(client_id(0)));
        EXPECT_EQ(again.closed.front().reason, LeaveReason::end_of_file);
        EXPECT_THAT(again.attached, ElementsAre(client_id(2)));
    }
    users_.release(client_id(0));
    EXPECT_THAT(told_again(entry_0).closed, IsEmpty());
}

// Nor does the slot's next client bring it back.
TEST_F(TellingAgainTest, DoesNotNameAClientWhoseSlotHasAnother) {
    end_of(0);
    EXPECT_THAT(clients_of(told_again(entry_0).closed), ElementsAre(client_id(0)));
    users_.release(client_id(0));
    users_.assign({.slot = SlotId{0}, .generation = client_id(0).generation + 1}, entry_0);
    EXPECT_THAT(told_again(entry_0).closed, IsEmpty());
}

TEST_F(TellingAgainTest, NamesAClientThatItHandedOverUntilTheMasterGivesItAway) {
    ASSERT_TRUE(asked_for(0, entry_0));
    for (int channel = 0; channel < 3; ++channel) {
        const Report again = told_again(entry_0);
        EXPECT_THAT(again.handed_over, ElementsAre(client_id(0)));
        EXPECT_THAT(again.attached, ElementsAre(client_id(2)));
    }
    give_to(0, entry_0, entry_1);
    EXPECT_THAT(told_again(entry_0).handed_over, IsEmpty());
    EXPECT_THAT(told_again(entry_1).attached, UnorderedElementsAre(client_id(0), client_id(1)));
}

TEST_F(TellingAgainTest, DoesNotNameAClientThatHasComeBack) {
    ASSERT_TRUE(asked_for(0, entry_0));
    send_to(entry_0, 0); // the master could not know
    worker(entry_0).settle();
    const Report again = told_again(entry_0);
    EXPECT_THAT(again.handed_over, IsEmpty());
    EXPECT_THAT(again.attached, ElementsAre(client_id(0), client_id(2)));
    expect_that_all_can_talk();
}

// The master asks again for what it still wants.
TEST_F(TellingAgainTest, ForgetsWhatItWasAskedToHandOver) {
    const ClientId client = client_id(0);
    worker(entry_0).hand_over(std::span(&client, 1));
    EXPECT_THAT(told_again(entry_0).attached, ElementsAre(client_id(0), client_id(2)));
    worker(entry_0).settle();
    EXPECT_THAT(worker(entry_0).take_report().handed_over, IsEmpty());
    EXPECT_EQ(status(0).state, SlotState::attached);
}

TEST_F(TellingAgainTest, ConfirmsAClientThatItIsSentASecondTimeAndClosesTheDescriptor) {
    (void)worker(entry_0).take_report();
    const int descriptor = ::dup(sockets_[0].get());
    worker(entry_0).receive(client_id(0), UniqueFd(descriptor));
    worker(entry_0).settle();
    EXPECT_THAT(worker(entry_0).take_report().attached, ElementsAre(client_id(0)));
    EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
    expect_that_all_can_talk();
}

// The master has given it to another worker by then, or is about to.
TEST_F(TellingAgainTest, DoesNotTakeBackAClientThatItLetsGoAfterItWasSentASecondTime) {
    (void)worker(entry_0).take_report();
    lock_log();
    send_to(entry_0, 0);
    ASSERT_TRUE(asked_for(0, entry_0));
    unlock_log();
    worker(entry_0).settle();
    EXPECT_EQ(status(0).state, SlotState::handed_over);
    give_to(0, entry_0, entry_1);
    expect_that_all_can_talk();
}

TEST_F(TellingAgainTest, ConfirmsAClientThatItIsSentTwiceAtOnce) {
    lock_log();
    ASSERT_TRUE(asked_for(1, entry_1));
    ASSERT_TRUE(users_.reassign(client_id(1), entry_1, entry_0));
    (void)worker(entry_0).take_report();
    send_to(entry_0, 1);
    worker(entry_0).settle();
    send_to(entry_0, 1);
    unlock_log();
    worker(entry_0).settle();
    EXPECT_THAT(worker(entry_0).take_report().attached, ElementsAre(client_id(1), client_id(1)));
    expect_that_all_can_talk();
}

// One that is closing and has not read everything, so that its worker still has it.
TEST_F(TellingAgainTest, ConfirmsAClosingClientThatItIsSentASecondTime) {
    std::string sent;
    while (sent.size() < 60'000) { // more than the sockets hold, and less than the log
        const std::string piece(10'000, static_cast<char>('a' + sent.size() / 10'000));
        say(1, piece);
        sent += piece;
        serve_both();
    }
    end_of(0);
    ASSERT_EQ(status(0).state, SlotState::closing);
    ASSERT_THAT(worker(entry_0).take_report().closed, IsEmpty()) << "it has got everything";
    send_to(entry_0, 0);
    worker(entry_0).settle();
    EXPECT_THAT(worker(entry_0).take_report().attached, ElementsAre(client_id(0)));
    std::string heard;
    std::vector<ClosedClient> closed;
    for (int turn = 0; turn < 50 && closed.empty(); ++turn) {
        heard += heard_by(0);
        serve_both();
        closed = worker(entry_0).take_report().closed;
    }
    heard += heard_by(0);
    EXPECT_THAT(clients_of(closed), ElementsAre(client_id(0)));
    EXPECT_EQ(heard, sent);
}

} // namespace
} // namespace chatserv
