// What the worker's kqueue tells of a client's socket, as the client's reading is paused, resumed
// and ended.
#include "tests/unit/ids.h"
#include "tests/unit/small_segment.h"
#include "worker/clients/socket_filters.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace chatserv {
namespace {

class SocketFiltersTest : public testing::Test {
protected:
    SocketFiltersTest() {
        FdPair ends = make_stream_pair();
        peer_ = std::move(ends.first);
        client_ = &roster_.add(segment_.attach(0), std::move(ends.second), segment_.users[slot_0]);
        EXPECT_EQ(::write(peer_.get(), "x", 1), 1);
    }

    [[nodiscard]] bool tells_of_bytes() {
        for (const EventQueue::Event& event : events_.wait(std::chrono::nanoseconds(0)))
            if (is_readable(event))
                return client_of(tag_of(event)) == client_->id;
        return false;
    }

    SmallSegment segment_;
    EventQueue events_;
    Roster roster_;
    SocketFilters filters_{events_};
    UniqueFd peer_;
    Client* client_;
};

TEST_F(SocketFiltersTest, AClientPausedForTwoReasonsIsReadWhenBothAreGone) {
    ASSERT_EQ(filters_.start_reading(*client_), 0);
    EXPECT_TRUE(tells_of_bytes());
    filters_.pause_reading(*client_, Client::no_room);
    filters_.pause_reading(*client_, Client::too_fast);
    EXPECT_FALSE(tells_of_bytes());
    EXPECT_EQ(filters_.resume_reading(*client_, Client::no_room), 0);
    EXPECT_FALSE(tells_of_bytes());
    EXPECT_EQ(filters_.resume_reading(*client_, Client::too_fast), 0);
    EXPECT_TRUE(tells_of_bytes());
}

TEST_F(SocketFiltersTest, NoClientIsReadAfterAStop) {
    ASSERT_EQ(filters_.start_reading(*client_), 0);
    filters_.pause_reading(*client_, Client::no_room);
    filters_.stop_reading(roster_);
    EXPECT_EQ(filters_.resume_reading(*client_, Client::no_room), 0);
    EXPECT_FALSE(tells_of_bytes());
}

TEST_F(SocketFiltersTest, AClientAttachedAfterAStopIsNotRead) {
    filters_.stop_reading(roster_);
    ASSERT_EQ(filters_.start_reading(*client_), 0);
    EXPECT_FALSE(tells_of_bytes());
    EXPECT_EQ(filters_.read_to_discard(*client_), 0);
    EXPECT_TRUE(tells_of_bytes());
}

TEST_F(SocketFiltersTest, ARemovedClientCausesNoEventsThoughItsSocketStaysOpen) {
    ASSERT_EQ(filters_.start_reading(*client_), 0);
    ASSERT_EQ(filters_.wait_for_write(*client_, false), 0);
    const UniqueFd masters_copy(::dup(client_->fd.get()));
    filters_.remove(*client_);
    client_->fd.reset();
    EXPECT_TRUE(events_.wait(std::chrono::nanoseconds(0)).empty());
}

// With whole lines: an unfinished one is left in the socket.
TEST_F(SocketFiltersTest, BytesThatAreLeftUnreadAreToldOfOnceIfAskedFor) {
    const SocketFilters filters(events_, SocketFilters::Telling::when_new);
    ASSERT_EQ(filters.start_reading(*client_), 0);
    EXPECT_TRUE(tells_of_bytes());
    EXPECT_FALSE(tells_of_bytes()) << "the byte is still unread";
    EXPECT_EQ(filters.tell_again(*client_), 0);
    EXPECT_TRUE(tells_of_bytes());
    EXPECT_FALSE(tells_of_bytes());
    EXPECT_EQ(::write(peer_.get(), "y", 1), 1);
    EXPECT_TRUE(tells_of_bytes());
    EXPECT_FALSE(tells_of_bytes());

    filters.pause_reading(*client_, Client::no_room);
    EXPECT_EQ(::write(peer_.get(), "z", 1), 1);
    EXPECT_EQ(filters.tell_again(*client_), 0);
    EXPECT_FALSE(tells_of_bytes()) << "a paused client is not read";
    EXPECT_EQ(filters.resume_reading(*client_, Client::no_room), 0);
    EXPECT_TRUE(tells_of_bytes());
    EXPECT_FALSE(tells_of_bytes());

    peer_.reset();
    const auto events = events_.wait(std::chrono::nanoseconds(0));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_TRUE(is_at_end(events.front())) << "the end is told of though bytes are unread";
}

// What it sends is no line that could be unfinished.
TEST_F(SocketFiltersTest, BytesOfAClientThatIsNotHeardAreToldOfUntilTheyAreRead) {
    const SocketFilters filters(events_, SocketFilters::Telling::when_new);
    client_->role = Role::listen;
    ASSERT_EQ(filters.start_reading(*client_), 0);
    EXPECT_TRUE(tells_of_bytes());
    EXPECT_TRUE(tells_of_bytes()) << "the byte is still unread";
}

} // namespace
} // namespace chatserv
