// Sockets with a name: what is there already is found out without waiting for it.
#include "shared/unix_socket.h"

#include "tests/support/temporary_directory.h"

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <vector>

namespace chatserv {
namespace {

int error_of_listening_at(const std::string& path) {
    try {
        const UniqueFd listening = listen_at(path);
        return 0;
    } catch (const std::system_error& failure) {
        return failure.code().value();
    }
}

// A stopped server: it listens, accepts nobody, and its queue is full, so that connect(2) waits.
TEST(UnixSocket, OneThatAcceptsNobodyIsThereAndIsNotWaitedFor) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.path() / "socket";
    const UniqueFd stopped = listen_at(path);
    ASSERT_EQ(::listen(stopped.get(), 0), 0); // a queue as short as can be
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    std::vector<UniqueFd> queue;
    int connected = 0;
    do {
        queue.emplace_back(::socket(AF_UNIX, SOCK_STREAM, 0));
        set_nonblocking(queue.back().get());
        connected = ::connect(
            queue.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } while (connected == 0);
    if (errno != EAGAIN)
        GTEST_SKIP() << "this system lets nobody wait for a full queue";
    EXPECT_EQ(error_of_listening_at(path), EADDRINUSE);
}

TEST(UnixSocket, OneThatADeadServerLeftIsReplaced) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.path() / "socket";
    { const UniqueFd dead = listen_at(path); }
    EXPECT_EQ(error_of_listening_at(path), 0);
}

} // namespace
} // namespace chatserv
