// The channel: frames and descriptors, whole or not at all, whatever the peer does.
#include "shared/ipc/channel.h"

#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <numeric>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

namespace chatserv {
namespace {

struct Ends {
    Ends() : Ends(make_stream_pair()) {}
    explicit Ends(FdPair pair) : a(std::move(pair.first)), b(std::move(pair.second)) {}
    Channel a, b;
};

Channel::Received receive(Channel& channel, Message& message) {
    return channel.receive(message);
}

bool same_pipe(int writing_end, int reading_end) {
    char byte = 'p';
    if (::write(writing_end, &byte, 1) != 1)
        return false;
    byte = 0;
    return ::read(reading_end, &byte, 1) == 1 && byte == 'p';
}

TEST(Channel, KeepsMessagesApartAndInOrder) {
    Ends ends;
    const std::vector<uint32_t> numbers{1, 2, 3};
    ends.a.queue(MessageType{7}, std::span<const uint32_t>(numbers));
    ends.a.queue(MessageType{8});
    ASSERT_EQ(ends.a.flush(), Channel::Sent::all);
    Message message;
    ASSERT_EQ(receive(ends.b, message), Channel::Received::message);
    EXPECT_EQ(message.type, MessageType{7});
    EXPECT_EQ(message.items<uint32_t>(), numbers);
    EXPECT_FALSE(message.items<uint64_t>().has_value()) << "12 bytes are no array of those";
    ASSERT_EQ(receive(ends.b, message), Channel::Received::message);
    EXPECT_EQ(message.type, MessageType{8});
    EXPECT_TRUE(message.payload.empty());
    EXPECT_EQ(receive(ends.b, message), Channel::Received::nothing);
}

TEST(Channel, CarriesAFullBatchOfDescriptors) {
    Ends ends;
    const FdPair pipe = make_pipe();
    const std::vector<int> batch(descriptors_max, pipe.second.get());
    ends.a.queue(MessageType{1}, std::span<const char>(), batch);
    ends.a.queue(MessageType{2}, std::span<const char>(), std::span(batch).first(1));
    ASSERT_EQ(ends.a.flush(), Channel::Sent::all);
    Message message;
    ASSERT_EQ(receive(ends.b, message), Channel::Received::message);
    ASSERT_EQ(message.descriptors.size(), descriptors_max);
    for (const UniqueFd& fd : message.descriptors) {
        EXPECT_TRUE(same_pipe(fd.get(), pipe.first.get()));
        EXPECT_EQ(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    ASSERT_EQ(receive(ends.b, message), Channel::Received::message);
    EXPECT_EQ(message.type, MessageType{2});
    EXPECT_EQ(message.descriptors.size(), 1U);
}

// More than any socket buffer takes: what does not go at once goes later, none of it lost.
TEST(Channel, SendsTheRestWhenThereIsRoom) {
    Ends ends;
    const FdPair pipe = make_pipe();
    const int writing_end = pipe.second.get();
    constexpr uint32_t count = 2000;
    const std::vector<char> ballast(payload_bytes_max - sizeof(uint32_t), 'b');
    for (uint32_t i = 0; i < count; ++i) {
        std::vector<char> payload(sizeof i);
        std::memcpy(payload.data(), &i, sizeof i);
        payload.insert(payload.end(), ballast.begin(), ballast.end());
        ends.a.queue(MessageType{1}, std::span<const char>(payload),
            i % 3 == 0 ? std::span(&writing_end, 1) : std::span<const int>());
    }
    ASSERT_EQ(ends.a.flush(), Channel::Sent::partly);
    Message message;
    for (uint32_t i = 0; i < count;) {
        ASSERT_NE(ends.a.flush(), Channel::Sent::broken);
        while (i < count && receive(ends.b, message) == Channel::Received::message) {
            uint32_t number = 0;
            std::memcpy(&number, message.payload.data(), sizeof number);
            ASSERT_EQ(number, i);
            ASSERT_EQ(message.descriptors.size(), i % 3 == 0 ? 1U : 0U);
            ++i;
        }
    }
    EXPECT_EQ(ends.a.flush(), Channel::Sent::all);
}

struct Raw { // the bytes of a frame's header, as a peer might write them
    uint32_t payload_bytes;
    uint16_t type;
    uint16_t descriptors;
};

struct RawPeer {
    RawPeer() : RawPeer(make_stream_pair()) {}
    explicit RawPeer(FdPair pair) : fd(std::move(pair.first)), channel(std::move(pair.second)) {}
    void write(const void* bytes, size_t count) const {
        ASSERT_EQ(::write(fd.get(), bytes, count), static_cast<ssize_t>(count));
    }
    UniqueFd fd;
    Channel channel;
};

TEST(Channel, RefusesAFrameLargerThanThereAre) {
    for (const Raw header : {Raw{payload_bytes_max + 1, 1, 0}, Raw{~0U, 1, 0},
             Raw{0, 1, descriptors_max + 1}, Raw{0, 1, 0xffff}}) {
        RawPeer peer;
        peer.write(&header, sizeof header);
        Message message;
        EXPECT_EQ(receive(peer.channel, message), Channel::Received::malformed);
    }
}

TEST(Channel, RefusesAFrameWithoutTheDescriptorsThatItNames) {
    RawPeer peer;
    const Raw header{0, 1, 1};
    peer.write(&header, sizeof header);
    Message message;
    EXPECT_EQ(receive(peer.channel, message), Channel::Received::malformed);
}

// A peer that sent many could use up all that this process may open.
TEST(Channel, KeepsNoDescriptorsThatNoFrameNames) {
    RawPeer peer;
    const FdPair pipe = make_pipe();
    const int fd = pipe.first.get();
    const auto send_with_descriptor = [&](size_t bytes) {
        const std::array<char, sizeof(Raw)> zeroes{};
        iovec piece{const_cast<char*>(zeroes.data()), bytes};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = static_cast<decltype(message.msg_controllen)>(control.size());
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = static_cast<decltype(header->cmsg_len)>(CMSG_LEN(sizeof fd));
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
        ASSERT_EQ(::sendmsg(peer.fd.get(), &message, 0), static_cast<ssize_t>(bytes));
    };
    send_with_descriptor(sizeof(Raw) - 1); // may be the beginning of a frame that names it
    Message message;
    EXPECT_EQ(receive(peer.channel, message), Channel::Received::nothing);
    send_with_descriptor(1);
    EXPECT_EQ(receive(peer.channel, message), Channel::Received::message);
    EXPECT_EQ(receive(peer.channel, message), Channel::Received::malformed);
}

TEST(Channel, WaitsForTheRestOfATruncatedFrame) {
    RawPeer peer;
    const Raw header{4, 9, 0};
    const auto* const bytes = reinterpret_cast<const char*>(&header);
    Message message;
    for (size_t i = 0; i < sizeof header; ++i) {
        peer.write(bytes + i, 1);
        ASSERT_EQ(receive(peer.channel, message), Channel::Received::nothing);
    }
    peer.write("123", 3);
    ASSERT_EQ(receive(peer.channel, message), Channel::Received::nothing);
    peer.write("4", 1);
    ASSERT_EQ(receive(peer.channel, message), Channel::Received::message);
    EXPECT_EQ(message.type, MessageType{9});
    EXPECT_EQ(std::string(message.payload.begin(), message.payload.end()), "1234");
}

TEST(Channel, GivesTheLastWordsOfAPeerThatDiedAndNothingOfAHalfFrame) {
    RawPeer peer;
    const Raw whole{0, 5, 0};
    const Raw half{100, 6, 0};
    peer.write(&whole, sizeof whole);
    peer.write(&half, sizeof half);
    peer.write("only a part", 11);
    peer.fd.reset();
    Message message;
    EXPECT_EQ(receive(peer.channel, message), Channel::Received::message);
    EXPECT_EQ(message.type, MessageType{5});
    EXPECT_EQ(receive(peer.channel, message), Channel::Received::closed);
}

TEST(Channel, SaysWhenNobodyIsThereToSendTo) {
    Ends ends;
    ends.b.close();
    ends.a.queue(MessageType{1});
    EXPECT_EQ(ends.a.flush(), Channel::Sent::broken);
}

// The kernel drops descriptors that the receiver has no numbers for. The message must say so, and
// those after it must keep theirs.
TEST(Channel, TellsOfDescriptorsThatThereWasNoRoomFor) {
    Ends ends;
    const FdPair pipe = make_pipe();
    const std::vector<int> batch(50, pipe.second.get());
    ends.a.queue(MessageType{1}, std::span<const char>(), batch);
    ASSERT_EQ(ends.a.flush(), Channel::Sent::all);

    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const UniqueFd probe(::dup(pipe.second.get()));
    const rlimit tight{
        .rlim_cur = static_cast<rlim_t>(probe.get()) + 10, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    Message message;
    const Channel::Received received = receive(ends.b, message);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_EQ(received, Channel::Received::message);
    EXPECT_TRUE(message.descriptors_lost);
    EXPECT_TRUE(message.descriptors.empty());

    ends.a.queue(MessageType{2}, std::span<const char>(), std::span(batch).first(2));
    ASSERT_EQ(ends.a.flush(), Channel::Sent::all);
    ASSERT_EQ(receive(ends.b, message), Channel::Received::message);
    EXPECT_EQ(message.type, MessageType{2});
    EXPECT_FALSE(message.descriptors_lost);
    EXPECT_EQ(message.descriptors.size(), 2U);
}

} // namespace
} // namespace chatserv
