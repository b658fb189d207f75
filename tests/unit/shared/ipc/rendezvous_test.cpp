// The rendezvous: a channel is received whole or not at all, and the last one offered holds.
#include "shared/ipc/rendezvous.h"

#include "shared/ipc/channel.h"
#include "shared/system/fd.h"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <optional>
#include <sys/resource.h>
#include <unistd.h>

namespace chatserv {
namespace {

class RendezvousTest : public testing::Test {
protected:
    RendezvousTest() { std::signal(SIGPIPE, SIG_IGN); }

    [[nodiscard]] int masters() const { return ends_.first.get(); }
    [[nodiscard]] int workers() const { return ends_.second.get(); }

    // Offers the worker's end of a new channel, and returns the master's.
    UniqueFd offer() {
        FdPair channel = make_stream_pair();
        EXPECT_EQ(offer_channel(masters(), channel.second.get()), Offered::sent);
        return std::move(channel.first);
    }
    static bool are_connected(const UniqueFd& one, const UniqueFd& other) {
        const char byte = 'x';
        char got = 0;
        return ::write(one.get(), &byte, 1) == 1 && ::read(other.get(), &got, 1) == 1;
    }

    FdPair ends_ = make_stream_pair();
};

TEST_F(RendezvousTest, BringsAChannel) {
    EXPECT_EQ(next_offer(workers()), Offer::Kind::none);
    const UniqueFd masters_end = offer();
    EXPECT_EQ(next_offer(workers()), Offer::Kind::channel);
    const Offer taken = take_offer(workers());
    ASSERT_EQ(taken.kind, Offer::Kind::channel);
    EXPECT_TRUE(are_connected(masters_end, taken.channel));
    EXPECT_EQ(::fcntl(taken.channel.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(::fcntl(taken.channel.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(next_offer(workers()), Offer::Kind::none);
    EXPECT_EQ(take_offer(workers()).kind, Offer::Kind::none);
}

// Masters can die one after the other before a worker runs again.
TEST_F(RendezvousTest, KeepsSeveralChannelsApart) {
    const UniqueFd first = offer();
    const UniqueFd second = offer();
    EXPECT_TRUE(are_connected(first, take_offer(workers()).channel));
    EXPECT_TRUE(are_connected(second, take_offer(workers()).channel));
    EXPECT_EQ(take_offer(workers()).kind, Offer::Kind::none);
}

TEST_F(RendezvousTest, EndsWithTheMasters) {
    const UniqueFd masters_end = offer();
    ends_.first.reset();
    EXPECT_EQ(take_offer(workers()).kind, Offer::Kind::channel);
    EXPECT_EQ(next_offer(workers()), Offer::Kind::closed);
    EXPECT_EQ(take_offer(workers()).kind, Offer::Kind::closed);
}

TEST_F(RendezvousTest, TellsThatTheWorkerHasEnded) {
    ends_.second.reset();
    const FdPair channel = make_stream_pair();
    EXPECT_EQ(offer_channel(masters(), channel.second.get()), Offered::no_worker);
}

TEST_F(RendezvousTest, TakesNoMoreThanItHolds) {
    const FdPair channel = make_stream_pair();
    Offered offered = Offered::sent;
    int count = 0;
    for (; offered == Offered::sent && count < 1'000'000; ++count)
        offered = offer_channel(masters(), channel.second.get());
    EXPECT_EQ(offered, Offered::not_now);
    for (int i = 1; i < count; ++i)
        ASSERT_EQ(take_offer(workers()).kind, Offer::Kind::channel);
    EXPECT_EQ(take_offer(workers()).kind, Offer::Kind::none);
    EXPECT_EQ(offer_channel(masters(), channel.second.get()), Offered::sent);
}

// A process at its limit of descriptors: the worker closes its old channel first.
TEST_F(RendezvousTest, ADescriptorThatIsFreedIsEnoughForTheChannel) {
    const UniqueFd lost_one = offer();
    const UniqueFd masters_end = offer();
    UniqueFd old_channel = make_pipe().first;
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const UniqueFd lowest(::fcntl(workers(), F_DUPFD_CLOEXEC, 0));
    const auto all_taken = static_cast<rlim_t>(lowest.get()) + 1;
    const rlimit tight{.rlim_cur = all_taken, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    const bool freed_one_counts = old_channel.get() < lowest.get();
    const Offer lost = take_offer(workers());
    old_channel.reset();
    const Offer taken = take_offer(workers());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_TRUE(freed_one_counts);
    EXPECT_EQ(lost.kind, Offer::Kind::lost);
    ASSERT_EQ(taken.kind, Offer::Kind::channel);
    EXPECT_TRUE(are_connected(masters_end, taken.channel));
}

} // namespace
} // namespace chatserv
