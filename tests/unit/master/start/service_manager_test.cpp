// What the service manager hears, at given instants.
#include "master/start/service_manager.h"
#include "tests/harness/temporary_directory.h"

#include <array>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

namespace chatserv {
namespace {

using namespace std::chrono_literals;

class ServiceManagerTest : public testing::Test {
protected:
    void SetUp() override {
        listen();
        ASSERT_TRUE(socket_);
    }

    void listen() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
        socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM, 0));
        ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                      static_cast<socklen_t>(sizeof address)),
            0);
    }

    // The next message; "" if there is none.
    std::string heard() {
        std::array<char, 4096> text{};
        const ssize_t size = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
        return {text.data(), size < 0 ? 0 : static_cast<size_t>(size)};
    }

    ServiceManager::Server server(uint32_t users) {
        return {
            .main_process = 77, .serving = true, .stopping = false, .users = users, .workers = 2};
    }

    test::TemporaryDirectory folder_;
    const std::string path_ = folder_.path().string() + "/notify";
    UniqueFd socket_{};
    const ServiceManager::Clock::time_point begin_{1h};
};

TEST_F(ServiceManagerTest, HearsNothingBeforeTheServerServes) {
    ServiceManager manager({.address = path_, .watchdog = 1s});
    ServiceManager::Server starting = server(0);
    starting.serving = false;
    manager.look(starting, begin_);
    EXPECT_EQ(heard(), "");
    EXPECT_EQ(manager.next_look(), std::nullopt);
    manager.look(server(0), begin_);
    EXPECT_EQ(heard(), "READY=1\nMAINPID=77\nSTATUS=0 users, 2 workers\nWATCHDOG=1\n");
    EXPECT_EQ(manager.next_look(), begin_ + 500ms);
}

TEST_F(ServiceManagerTest, HearsOfUsersOnceASecond) {
    ServiceManager manager({.address = path_});
    manager.look(server(0), begin_);
    EXPECT_NE(heard(), "");
    manager.look(server(1), begin_ + 100ms);
    EXPECT_EQ(heard(), "");
    EXPECT_EQ(manager.next_look(), begin_ + 1s);
    manager.look(server(1), begin_ + 1s);
    EXPECT_EQ(heard(), "STATUS=1 user, 2 workers\n");
    manager.look(server(1), begin_ + 5s);
    EXPECT_EQ(heard(), "") << "nothing has changed";
    EXPECT_EQ(manager.next_look(), std::nullopt);
}

TEST_F(ServiceManagerTest, HearsOfTheStopOnce) {
    ServiceManager manager({.address = path_});
    ServiceManager::Server stopping = server(0);
    stopping.stopping = true;
    manager.look(stopping, begin_);
    EXPECT_EQ(heard(), "READY=1\nMAINPID=77\nSTOPPING=1\nSTATUS=0 users, 2 workers\n");
    manager.look(stopping, begin_ + 5s);
    EXPECT_EQ(heard(), "");
}

TEST_F(ServiceManagerTest, HearsLaterWhatItCouldNotHear) {
    ServiceManager manager({.address = path_});
    socket_.reset();
    ASSERT_EQ(::unlink(path_.c_str()), 0);
    manager.look(server(3), begin_);
    EXPECT_EQ(manager.next_look(), begin_ + 100ms);
    listen();
    manager.look(server(3), begin_ + 50ms);
    EXPECT_EQ(heard(), "");
    manager.look(server(3), begin_ + 100ms);
    EXPECT_EQ(heard(), "READY=1\nMAINPID=77\nSTATUS=3 users, 2 workers\n");
}

TEST_F(ServiceManagerTest, IsNotWaitedFor) {
    ServiceManager manager({.address = path_, .watchdog = 2ms});
    for (int i = 0; i < 10'000; ++i)
        manager.look(server(0), begin_ + i * 1ms);
    size_t messages = 0;
    while (!heard().empty())
        ++messages;
    EXPECT_GE(messages, 1U);
    EXPECT_LT(messages, 10'000U) << "the socket's buffer has become full";
}

TEST_F(ServiceManagerTest, WithoutOneNothingIsDue) {
    ServiceManager manager({.address = "", .watchdog = 1s});
    manager.look(server(0), begin_);
    EXPECT_EQ(manager.next_look(), std::nullopt);
}

TEST(ServiceManagerContact, IsInTheEnvironment) {
    ::setenv("NOTIFY_SOCKET", "@name", 1);
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(ServiceManager::contact_of_environment().address, "@name");
    EXPECT_EQ(ServiceManager::contact_of_environment().watchdog, 30s);
    ::setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_EQ(ServiceManager::contact_of_environment().watchdog, 0s);
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    EXPECT_EQ(ServiceManager::contact_of_environment().address, "");
}

} // namespace
} // namespace chatserv
