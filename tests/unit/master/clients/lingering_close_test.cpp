// Refused connections: the notice that they receive, and that the master never waits for them.
#include "master/clients/lingering_close.h"
#include "tests/unit/small_ledger.h"

#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

enum class Watched : uint8_t { lingering = 7 };
constexpr Tag tag = Watched::lingering;
constexpr uintptr_t timer_ident = 3;

struct LingeringCloseTest : ::testing::Test {
    UniqueFd begin() {
        FdPair ends = make_stream_pair();
        const LingeringPlace planned = lingering_close.plan(
            ends.first.release(), "too many users!\n", LingeringClose::Connection::newcomer);
        ledger.lingering()[planned.place] = planned.record; // the transition
        lingering_close.begin(planned);
        return std::move(ends.second);
    }

    static std::string heard(const UniqueFd& socket) {
        char text[64];
        const ssize_t got = ::read(socket.get(), text, sizeof text);
        return {text, got > 0 ? static_cast<size_t>(got) : 0};
    }

    void wait_for_timer() {
        for (;;) {
            clock.about_to_sleep(std::chrono::hours(1));
            for (const EventQueue::Event& event : events.wait()) {
                if (is_timer(event))
                    return;
                lingering_close.readable(descriptor_of(event));
            }
        }
    }

    EventQueue events;
    ServedRecord record{};
    ServedClock clock{record, std::chrono::milliseconds(100)};
    const Ledger ledger{small_ledger()};
    LingeringClose lingering_close{ledger, true, events, clock, tag, timer_ident};
};

bool is_open(const UniqueFd& socket) {
    return ::write(socket.get(), "x", 1) == 1;
}

TEST_F(LingeringCloseTest, ReceivesTheReasonAndThenEndOfFile) {
    const UniqueFd client = begin();
    EXPECT_EQ(heard(client), "too many users!\n");
    EXPECT_EQ(heard(client), "");
    EXPECT_TRUE(is_open(client)) << "what it sends is swallowed, not answered with a reset";
}

TEST_F(LingeringCloseTest, StaysUntilItCloses) {
    UniqueFd client = begin();
    client.reset();
    for (const EventQueue::Event& event : events.wait()) {
        EXPECT_EQ(tag_of(event), tag);
        lingering_close.readable(descriptor_of(event));
    }
    EXPECT_TRUE(events.wait(std::chrono::nanoseconds(0)).empty()) << "nothing is watched any more";
}

TEST_F(LingeringCloseTest, StaysUntilItsTimeout) {
    const UniqueFd early = begin();
    wait_for_timer();
    const UniqueFd late = begin();
    lingering_close.timer();
    EXPECT_FALSE(is_open(early));
    EXPECT_TRUE(is_open(late)) << "the timer was not set for this one";
    wait_for_timer(); // it has been set again
    lingering_close.timer();
    EXPECT_FALSE(is_open(late));
}

// The timer expires, but the process did not run during the time that the timer was set for.
TEST_F(LingeringCloseTest, HasItsWholeTimeoutAfterAStandstill) {
    const UniqueFd client = begin();
    for (bool over = false; !over;)
        for (const EventQueue::Event& event : events.wait()) // without a word to the clock
            over = over || is_timer(event);
    lingering_close.timer();
    EXPECT_TRUE(is_open(client));
    wait_for_timer(); // it has been set again
    lingering_close.timer();
    EXPECT_FALSE(is_open(client));
}

TEST_F(LingeringCloseTest, LeavesWhenTooManyOthersCome) {
    std::vector<UniqueFd> clients;
    for (size_t i = 0; i <= lingering_max; ++i)
        clients.push_back(begin());
    EXPECT_FALSE(is_open(clients[0]));
    for (size_t i = 1; i < clients.size(); ++i)
        EXPECT_TRUE(is_open(clients[i])) << i;
}

TEST_F(LingeringCloseTest, IsClosedOldestFirstToFreeADescriptor) {
    EXPECT_FALSE(lingering_close.close_oldest());
    const UniqueFd first = begin();
    const UniqueFd second = begin();
    EXPECT_TRUE(lingering_close.close_oldest());
    EXPECT_FALSE(is_open(first));
    EXPECT_TRUE(is_open(second));
    wait_for_timer(); // set for the first one
    lingering_close.timer();
    EXPECT_TRUE(is_open(second));
    wait_for_timer();
    lingering_close.timer();
    EXPECT_FALSE(is_open(second));
    EXPECT_FALSE(lingering_close.close_oldest());
}

TEST_F(LingeringCloseTest, ATimerAfterTheEndClosesNoClient) {
    const UniqueFd client = begin();
    lingering_close.close_all();
    EXPECT_FALSE(is_open(client));
    lingering_close.timer();
    const UniqueFd next = begin();
    EXPECT_TRUE(is_open(next));
}

} // namespace
} // namespace chatserv
