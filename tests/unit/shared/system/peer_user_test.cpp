// Who is at the other end of a UNIX socket.
#include "shared/system/peer_user.h"

#include "shared/system/fd.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace chatserv {
namespace {

TEST(PeerUserTest, IsTheUserThatConnected) {
    const FdPair ends = make_stream_pair();
    EXPECT_EQ(user_of_peer(ends.first.get()), ::geteuid());
}

TEST(PeerUserTest, IsUnknownOfSomethingElse) {
    const FdPair pipe = make_pipe();
    EXPECT_EQ(user_of_peer(pipe.first.get()), std::nullopt);
    EXPECT_EQ(user_of_peer(-1), std::nullopt);
}

} // namespace
} // namespace chatserv
