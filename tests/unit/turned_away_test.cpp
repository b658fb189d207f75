// Connections that are not taken in: what they hear, and that nobody waits for them.
#include "master/clients/turned_away.h"

#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

enum class Watched : uint8_t { turned_away = 7 };
constexpr Tag tag = Watched::turned_away;
constexpr uintptr_t timer_ident = 3;

struct TurnedAwayTest : ::testing::Test {
    UniqueFd turn_away() {
        FdPair ends = make_stream_pair();
        turned_away.turn_away(std::move(ends.first), "too many users!\n");
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
                turned_away.readable(descriptor_of(event));
            }
        }
    }

    EventQueue events;
    ServedRecord record{};
    ServedClock clock{record, std::chrono::milliseconds(100)};
    TurnedAway turned_away{events, clock, tag, timer_ident};
};

bool is_open(const UniqueFd& socket) {
    return ::write(socket.get(), "x", 1) == 1;
}

TEST_F(TurnedAwayTest, HearsWhyAndThenTheEnd) {
    const UniqueFd client = turn_away();
    EXPECT_EQ(heard(client), "too many users!\n");
    EXPECT_EQ(heard(client), "");
    EXPECT_TRUE(is_open(client)) << "what it sends is swallowed, not answered with a reset";
}

TEST_F(TurnedAwayTest, StaysUntilItCloses) {
    UniqueFd client = turn_away();
    client.reset();
    for (const EventQueue::Event& event : events.wait()) {
        EXPECT_EQ(tag_of(event), tag);
        turned_away.readable(descriptor_of(event));
    }
    EXPECT_TRUE(events.wait(std::chrono::nanoseconds(0)).empty()) << "nothing is watched any more";
}

TEST_F(TurnedAwayTest, StaysUntilItsTimeIsOver) {
    const UniqueFd early = turn_away();
    wait_for_timer();
    const UniqueFd late = turn_away();
    turned_away.timer();
    EXPECT_FALSE(is_open(early));
    EXPECT_TRUE(is_open(late)) << "the timer was not set for this one";
    wait_for_timer(); // it has been set again
    turned_away.timer();
    EXPECT_FALSE(is_open(late));
}

// The timer goes off, but the process was not there for the time that it was set for.
TEST_F(TurnedAwayTest, HasTheWholeOfItsTimeWhereTheServerStoodStill) {
    const UniqueFd client = turn_away();
    for (bool over = false; !over;)
        for (const EventQueue::Event& event : events.wait()) // without a word to the clock
            over = over || is_timer(event);
    turned_away.timer();
    EXPECT_TRUE(is_open(client));
    wait_for_timer(); // it has been set again
    turned_away.timer();
    EXPECT_FALSE(is_open(client));
}

TEST_F(TurnedAwayTest, StaysUntilTooManyOthersCame) {
    std::vector<UniqueFd> clients;
    for (size_t i = 0; i <= turned_away_max; ++i)
        clients.push_back(turn_away());
    EXPECT_FALSE(is_open(clients[0]));
    for (size_t i = 1; i < clients.size(); ++i)
        EXPECT_TRUE(is_open(clients[i])) << i;
}

TEST_F(TurnedAwayTest, GivesUpTheOldestForItsDescriptor) {
    EXPECT_FALSE(turned_away.give_up_oldest());
    const UniqueFd first = turn_away();
    const UniqueFd second = turn_away();
    EXPECT_TRUE(turned_away.give_up_oldest());
    EXPECT_FALSE(is_open(first));
    EXPECT_TRUE(is_open(second));
    wait_for_timer(); // set for the first one
    turned_away.timer();
    EXPECT_TRUE(is_open(second));
    wait_for_timer();
    turned_away.timer();
    EXPECT_FALSE(is_open(second));
    EXPECT_FALSE(turned_away.give_up_oldest());
}

TEST_F(TurnedAwayTest, ATimerThatComesAfterTheEndFindsNobody) {
    const UniqueFd client = turn_away();
    turned_away.close_all();
    EXPECT_FALSE(is_open(client));
    turned_away.timer();
    const UniqueFd next = turn_away();
    EXPECT_TRUE(is_open(next));
}

} // namespace
} // namespace chatserv
