// The acceptor: which connections it takes in, and when it accepts at all.
#include "master/clients/acceptor.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

enum class Watched : uint8_t { listener = 1, lingering = 2, proxied = 3 };
constexpr EntryId chosen_entry{1};

class AcceptorTest : public testing::Test {
protected:
    [[nodiscard]] UniqueFd connect() const {
        const Address& address = acceptor_.listeners().front().address();
        UniqueFd client(::socket(address.family(), SOCK_STREAM, 0));
        EXPECT_EQ(::connect(client.get(), address.data(), address.size()), 0);
        return client;
    }

    // Waits until a connection has come to the listen socket.
    std::vector<Acceptor::Admitted> accept() {
        for (const EventQueue::Event& event : events_.wait(std::chrono::seconds(10)))
            if (tag_of(event).kind<Watched>() == Watched::listener)
                return acceptor_.accept(0, book_, [] { return chosen_entry; });
        return {};
    }

    static std::vector<Listener> one_listener() {
        std::vector<Listener> listeners;
        listeners.emplace_back(*Address::parse("127.0.0.1:0"));
        return listeners;
    }

    SmallSegment segment_{1};
    EventQueue events_;
    ServedRecord record_{};
    ServedClock clock_{record_, std::chrono::milliseconds(100)};
    const Ledger ledger_{small_ledger(1)};
    ClientBook book_{ledger_, segment_.users, events_, clock_,
        {.entries = 2,
            .keep_account = false,
            .rules = {},
            .limits = {},
            .lingering_tag = Watched::lingering,
            .lingering_timer = 3}};
    std::vector<Listener> listeners_ = one_listener();
    Acceptor acceptor_{events_, clock_, listeners_, Watched::listener, Watched::proxied, 60};
};

TEST_F(AcceptorTest, TakesANewcomerInForTheEntryThatWasChosen) {
    acceptor_.start();
    EXPECT_TRUE(acceptor_.accepting());
    const UniqueFd client = connect();
    const auto admitted = accept();
    ASSERT_EQ(admitted.size(), 1U);
    EXPECT_EQ(admitted.front().entry, chosen_entry);
    EXPECT_NE(book_.escrow().find_served_by(chosen_entry, admitted.front().client), nullptr);
}

// Linux doubles the number, for its own bookkeeping.
TEST_F(AcceptorTest, GivesAPeerOnThisMachineASmallSendBuffer) {
    acceptor_.start();
    const UniqueFd client = connect();
    const auto admitted = accept();
    ASSERT_EQ(admitted.size(), 1U);
    const int socket = book_.escrow().find(admitted.front().client)->socket();
    int bytes = 0;
    socklen_t size = sizeof bytes;
    ASSERT_EQ(::getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, &size), 0);
    EXPECT_GE(bytes, 128 * 1024);
    EXPECT_LE(bytes, 256 * 1024);
}

// A connection that waits at a socket when it is closed is taken in.
TEST_F(AcceptorTest, ListensAtOneMoreAddressAndNoMoreAtAnother) {
    acceptor_.start();
    Listener other(*Address::parse("127.0.0.1:0"));
    other.note_number(7);
    const Address address = other.address();
    EXPECT_EQ(acceptor_.watch(other), 0);
    acceptor_.add(std::move(other));
    EXPECT_EQ(acceptor_.listeners().size(), 2U);
    const UniqueFd client = connect();
    const int closed = acceptor_.listeners().front().fd();
    EXPECT_EQ(acceptor_.remove(0, book_, [] { return chosen_entry; }).size(), 1U);
    EXPECT_EQ(::fcntl(closed, F_GETFD), -1);
    ASSERT_EQ(acceptor_.listeners().size(), 1U);
    EXPECT_EQ(acceptor_.listeners().front().address().text(), address.text());
    EXPECT_TRUE(acceptor_.remove(0, book_, [] { return chosen_entry; }).empty());
    const UniqueFd late = connect();
    for (const EventQueue::Event& event : events_.wait(std::chrono::seconds(10)))
        EXPECT_EQ(tag_of(event).generation(), 7U);
    EXPECT_TRUE(acceptor_.accept(7, book_, [] { return chosen_entry; }).empty());
    char line[32];
    EXPECT_EQ(::read(late.get(), line, sizeof line), 16) << "too many users!";
}

TEST_F(AcceptorTest, TurnsANewcomerAwayWhenTheTableIsFull) {
    acceptor_.start();
    const UniqueFd first = connect();
    ASSERT_EQ(accept().size(), 1U);
    const UniqueFd second = connect();
    EXPECT_TRUE(accept().empty());
    char line[32];
    EXPECT_EQ(::read(second.get(), line, sizeof line), 16) << "too many users!";
    EXPECT_TRUE(acceptor_.accepting());
}

// As a dead master leaves them: of one it had noted nothing but the number.
TEST_F(AcceptorTest, JudgesNewcomersThatADeadMasterLeft) {
    const UniqueFd first = connect();
    const UniqueFd second = connect();
    for (int i = 0; i < 2; ++i)
        (void)book_.newcomers().note(acceptor_.listeners().front().accept());
    const auto admitted = acceptor_.judge_inherited(book_, [] { return chosen_entry; });
    ASSERT_EQ(admitted.size(), 1U);
    EXPECT_EQ(admitted.front().entry, chosen_entry);
    const int socket = book_.escrow().find(admitted.front().client)->socket();
    EXPECT_NE(::fcntl(socket, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(socket, F_GETFD) & FD_CLOEXEC, 0);
    char line[32];
    EXPECT_EQ(::read(second.get(), line, sizeof line), 16) << "too many users!";
    EXPECT_TRUE(book_.newcomers().all().empty());
}

TEST_F(AcceptorTest, AcceptsNothingBeforeTheStartAndAfterTheStop) {
    const UniqueFd early = connect();
    EXPECT_TRUE(acceptor_.accept(0, book_, [] { return chosen_entry; }).empty());
    EXPECT_FALSE(acceptor_.accepting());
    acceptor_.start();
    EXPECT_EQ(accept().size(), 1U) << "it waited in the listen queue";
    acceptor_.stop(book_.newcomers());
    EXPECT_FALSE(acceptor_.accepting());
    EXPECT_TRUE(acceptor_.listeners().empty());
    EXPECT_TRUE(acceptor_.accept(0, book_, [] { return chosen_entry; }).empty()) << "a late event";
    EXPECT_FALSE(acceptor_.next_try());
}

} // namespace
} // namespace chatserv
