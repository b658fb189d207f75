// The acceptor: which connections it takes in, and when it accepts at all.
#include "master/clients/acceptor.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

enum class Watched : uint8_t { listener = 1, lingering = 2 };
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
    ClientBook book_{Escrow(segment_.users, 2, false), {},
        LingeringClose(events_, clock_, Watched::lingering, 3),
        {.max_rate_bytes = 0, .idle_timeout = {}}};
    Acceptor acceptor_{events_, clock_, one_listener(), Watched::listener, 60};
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

TEST_F(AcceptorTest, AcceptsNothingBeforeTheStartAndAfterTheStop) {
    const UniqueFd early = connect();
    EXPECT_TRUE(acceptor_.accept(0, book_, [] { return chosen_entry; }).empty());
    EXPECT_FALSE(acceptor_.accepting());
    acceptor_.start();
    EXPECT_EQ(accept().size(), 1U) << "it waited in the listen queue";
    acceptor_.stop();
    EXPECT_FALSE(acceptor_.accepting());
    EXPECT_TRUE(acceptor_.listeners().empty());
    EXPECT_TRUE(acceptor_.accept(0, book_, [] { return chosen_entry; }).empty()) << "a late event";
    EXPECT_FALSE(acceptor_.next_try());
}

} // namespace
} // namespace chatserv
