// The channel on a system of BSD's kind: there recvmsg(2) fails with EMSGSIZE where the receiver
// has no room for the descriptors (unp_externalize() in FreeBSD's uipc_usrreq.c), which are lost;
// the bytes that they came with are what the next call returns. The linker leads recvmsg(2) here.
#include "shared/ipc/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

// What the simulated kernel does with a set of descriptors, and what the bytes are that it has
// kept.
struct Simulated {
    bool has_room = true;
    bool fails_for_ever = false;
    int error = EMSGSIZE;
    std::vector<char> kept{};
};
Simulated simulated;

} // namespace
} // namespace chatserv

extern "C" {

ssize_t __real_recvmsg(int fd, msghdr* message, int flags); // NOLINT: the linker's names

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) { // NOLINT
    using namespace chatserv;
    if (simulated.fails_for_ever) {
        errno = simulated.error;
        return -1;
    }
    if (!simulated.kept.empty()) {
        const size_t count = std::min(simulated.kept.size(), message->msg_iov->iov_len);
        std::memcpy(message->msg_iov->iov_base, simulated.kept.data(), count);
        simulated.kept.erase(
            simulated.kept.begin(), simulated.kept.begin() + static_cast<ptrdiff_t>(count));
        message->msg_controllen = 0;
        message->msg_flags = 0;
        return static_cast<ssize_t>(count);
    }
    const ssize_t got = __real_recvmsg(fd, message, flags);
    const cmsghdr* const header = got > 0 ? CMSG_FIRSTHDR(message) : nullptr;
    if (header == nullptr || simulated.has_room)
        return got;
    const size_t lost = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < lost; ++i) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof descriptor, sizeof descriptor);
        ::close(descriptor);
    }
    const auto* const bytes = static_cast<const char*>(message->msg_iov->iov_base);
    simulated.kept.assign(bytes, bytes + got);
    errno = simulated.error;
    return -1;
}

} // extern "C"

namespace chatserv {
namespace {

class LostDescriptorsTest : public testing::TestWithParam<int> {
protected:
    LostDescriptorsTest() { simulated = {.error = GetParam()}; }
    ~LostDescriptorsTest() override { simulated = {}; }
    LostDescriptorsTest(const LostDescriptorsTest&) = delete;
    LostDescriptorsTest& operator=(const LostDescriptorsTest&) = delete;

    void send(uint16_t type, size_t descriptors) {
        const std::vector<int> batch(descriptors, pipe_.second.get());
        sender_.queue(MessageType{type}, std::span<const char>("text", 4), batch);
        ASSERT_EQ(sender_.flush(), Channel::Sent::all);
    }
    void expect_message(uint16_t type, size_t descriptors, bool lost) {
        Message message;
        ASSERT_EQ(receiver_.receive(message), Channel::Received::message);
        EXPECT_EQ(message.type, MessageType{type});
        EXPECT_EQ(std::string(message.payload.begin(), message.payload.end()), "text");
        EXPECT_EQ(message.descriptors.size(), descriptors);
        EXPECT_EQ(message.descriptors_lost, lost);
    }
    void expect(Channel::Received wanted) {
        Message message;
        EXPECT_EQ(receiver_.receive(message), wanted);
    }

    FdPair pipe_ = make_pipe();
    FdPair ends_ = make_stream_pair();
    Channel sender_{std::move(ends_.first)};
    Channel receiver_{std::move(ends_.second)};
};

INSTANTIATE_TEST_SUITE_P(Error, LostDescriptorsTest, testing::Values(EMSGSIZE, EMFILE, E2BIG),
    [](const auto& error) { return "Number" + std::to_string(error.param); });

TEST_P(LostDescriptorsTest, AreToldAndTheChannelGoesOn) {
    send(1, 3);
    simulated.has_room = false;
    expect_message(1, 0, true);
    simulated.has_room = true;
    expect(Channel::Received::nothing);
    send(2, 2);
    send(3, 0);
    expect_message(2, 2, false);
    expect_message(3, 0, false);
}

TEST_P(LostDescriptorsTest, AreToldForEachMessageThatLostThem) {
    for (const uint16_t type : {uint16_t{1}, uint16_t{2}, uint16_t{3}})
        send(type, type == 2 ? 0 : 1);
    simulated.has_room = false;
    expect_message(1, 0, true);
    expect_message(2, 0, false);
    expect_message(3, 0, true);
    expect(Channel::Received::nothing);
}

TEST_P(LostDescriptorsTest, TellOfThePeersEndAfterwards) {
    send(1, 1);
    sender_.close();
    simulated.has_room = false;
    expect_message(1, 0, true);
    expect(Channel::Received::closed);
}

// A kernel that goes on refusing is not asked for ever.
TEST_P(LostDescriptorsTest, EndTheChannelWhereNothingElseComes) {
    simulated.fails_for_ever = true;
    expect(Channel::Received::closed);
}

} // namespace
} // namespace chatserv
