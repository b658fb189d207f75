// Which of the sockets that a service manager hands over are used, and for which addresses.
#include "master/clients/handed_listeners.h"
#include "shared/system/failure.h"
#include "tests/unit/master/clients/listeners_test.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sysexits.h>

namespace chatserv {
namespace {

using testing::HasSubstr;

constexpr const char* unit_name = "chatserv.socket";

UniqueFd copy_of(int fd) {
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

std::vector<HandedSocket> handed(int fd, const std::string& name) {
    std::vector<HandedSocket> sockets;
    sockets.push_back({.fd = copy_of(fd), .name = name});
    return sockets;
}

std::string failure_of(int fd) {
    try {
        (void)ready_listeners(handed(fd, unit_name), {});
        return "";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.exit_status(), EX_CONFIG);
        return failure.what();
    }
}

// As a socket unit makes them: blocking, and without any option.
UniqueFd listening_at(const Address& address) {
    UniqueFd fd(::socket(address.family(), SOCK_STREAM, 0));
    EXPECT_EQ(::bind(fd.get(), address.data(), address.size()), 0);
    EXPECT_EQ(::listen(fd.get(), 10), 0);
    return fd;
}

bool is_on(int fd, int level, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, level, option, &value, &size) == 0 && value != 0;
}

TEST(HandedListeners, AreAsTheServersOwn) {
    const UniqueFd of_unit = listening_at(Address::loopback(AF_INET, 0));
    const auto ready = ready_listeners(handed(of_unit.get(), unit_name), {});
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].origin(), Listener::Origin::handed_over);
    EXPECT_EQ(ready[0].address().text(), Address::of_socket(of_unit.get()).text());
    EXPECT_TRUE(is_on(ready[0].fd(), SOL_SOCKET, SO_OOBINLINE));
    EXPECT_TRUE(is_on(ready[0].fd(), IPPROTO_TCP, TCP_NODELAY));
    EXPECT_NE(::fcntl(ready[0].fd(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(ready[0].fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(HandedListeners, AreRefusedInOneLineIfTheyDoNotFit) {
    const UniqueFd datagrams(::socket(AF_INET, SOCK_DGRAM, 0));
    EXPECT_THAT(failure_of(datagrams.get()), HasSubstr("(chatserv.socket), which is not a stream"));
    const UniqueFd silent(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_THAT(failure_of(silent.get()), HasSubstr("does not listen"));
    const UniqueFd local(::socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_THAT(failure_of(local.get()), HasSubstr("does not listen"));
    const UniqueFd file(::open("/dev/null", O_RDONLY));
    EXPECT_THAT(failure_of(file.get()), HasSubstr("is no socket"));
}

TEST(HandedListeners, CanBeUnixSockets) {
    const std::string path = testing::TempDir() + "chatserv-handed-" + std::to_string(::getpid());
    const UniqueFd of_unit = listening_at(*Address::at_path(path));
    {
        const auto ready = ready_listeners(handed(of_unit.get(), unit_name), {});
        ASSERT_EQ(ready.size(), 1U);
        EXPECT_EQ(ready[0].address().text(), "unix:" + path);
    }
    EXPECT_EQ(::unlink(path.c_str()), 0) << "the file is the service manager's";
}

TEST(HandedListeners, HaveTheRoleOfTheirValueOrOfTheirName) {
    const UniqueFd of_unit = listening_at(Address::loopback(AF_INET, 0));
    const std::string address = Address::of_socket(of_unit.get()).text();
    const auto named = ready_listeners(handed(of_unit.get(), "listen"), {});
    EXPECT_EQ(named.at(0).role(), Role::listen);
    const auto listen = resolved({"speak:" + address});
    const auto asked_for =
        make_listeners(listen, ready_listeners(handed(of_unit.get(), "listen"), listen));
    EXPECT_EQ(asked_for.at(0).role(), Role::speak);
    EXPECT_EQ(asked_for.at(0).handed_role(), Role::listen);
    EXPECT_EQ(ready_listeners(handed(of_unit.get(), unit_name), {}).at(0).role(), Role::talk);
}

TEST(HandedListeners, TakeThePlaceOfTheAddressesThatTheyHave) {
    const UniqueFd of_unit = listening_at(Address::loopback(AF_INET, 0));
    const std::string address = Address::of_socket(of_unit.get()).text();
    const auto listen = resolved({address, "127.0.0.1:0"});
    const auto listeners =
        make_listeners(listen, ready_listeners(handed(of_unit.get(), unit_name), listen));
    ASSERT_EQ(listeners.size(), 2U);
    EXPECT_EQ(listeners[0].address().text(), address);
    EXPECT_EQ(listeners[0].origin(), Listener::Origin::handed_over);
    EXPECT_EQ(listeners[1].origin(), Listener::Origin::opened);
}

TEST(HandedListeners, AreUsedBesideTheAddressesThatTheyDoNotHave) {
    const UniqueFd of_unit = listening_at(Address::loopback(AF_INET, 0));
    const auto listen = resolved({"127.0.0.1:0"});
    const auto listeners =
        make_listeners(listen, ready_listeners(handed(of_unit.get(), unit_name), listen));
    ASSERT_EQ(listeners.size(), 2U);
    EXPECT_EQ(listeners[1].address().text(), Address::of_socket(of_unit.get()).text());
}

class KeptListenerTest : public testing::Test {
protected:
    [[nodiscard]] std::vector<HandedSocket> kept() const {
        return handed(manager_.get(), name_in_store(former_));
    }

    Listener former_{Address::loopback(AF_INET, 0)};
    const UniqueFd manager_ = copy_of(former_.fd()); // the service manager's
    const std::string address_ = former_.address().text();
};

TEST_F(KeptListenerTest, IsUsedWhereItsAddressIsAskedFor) {
    const auto listen = resolved({address_});
    const auto listeners = make_listeners(listen, ready_listeners(kept(), listen));
    ASSERT_EQ(listeners.size(), 1U);
    EXPECT_EQ(listeners[0].origin(), Listener::Origin::kept);
    EXPECT_EQ(listeners[0].address().text(), address_);
    EXPECT_EQ(kept_names(kept()), std::vector{name_in_store(former_)});
    EXPECT_FALSE(has_handed_over(kept()));
}

// Though the service manager still has it open.
TEST_F(KeptListenerTest, LeavesItsPortWhereItIsNotAskedFor) {
    const uint16_t port = former_.address().port();
    former_ = Listener(Address::loopback(AF_INET, 0));
    EXPECT_THROW((void)Listener(Address::any(AF_INET, port)), std::system_error);
    std::vector<HandedSocket> sockets;
    sockets.push_back({.fd = copy_of(manager_.get()), .name = "chatserv-listener-127.0.0.1_1"});
    EXPECT_TRUE(ready_listeners(std::move(sockets), resolved({"127.0.0.1:0"})).empty());
    EXPECT_EQ(Listener(Address::any(AF_INET, port)).address().port(), port);
}

TEST_F(KeptListenerTest, OfAnAddressThatWasHandedOverIsTheSameSocket) {
    std::vector<HandedSocket> sockets = kept();
    sockets.push_back({.fd = copy_of(manager_.get()), .name = unit_name});
    const auto ready = ready_listeners(std::move(sockets), {});
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].origin(), Listener::Origin::handed_over);
    EXPECT_TRUE(is_on(ready[0].fd(), SOL_SOCKET, SO_ACCEPTCONN)) << "it was not shut down";
}

TEST(NameInStore, IsAllowedThereAndDiffersWithTheAddress) {
    const Listener ipv4(Address::loopback(AF_INET, 0));
    const std::string port = std::to_string(ipv4.address().port());
    EXPECT_EQ(name_in_store(ipv4), "chatserv-listener-127.0.0.1_" + port);
    if (!has_ipv6())
        GTEST_SKIP() << "this machine has no IPv6";
    const Listener ipv6(Address::loopback(AF_INET6, 0));
    EXPECT_EQ(
        name_in_store(ipv6), "chatserv-listener-[__1]_" + std::to_string(ipv6.address().port()));
    const Listener alone(Address::any(AF_INET6, 0));
    const Listener both(Address::any(AF_INET6, 0), Families::ipv4_too);
    EXPECT_EQ(
        name_in_store(alone), "chatserv-listener-[__]_" + std::to_string(alone.address().port()));
    EXPECT_EQ(name_in_store(both),
        "chatserv-listener-[__]_" + std::to_string(both.address().port()) + "+ipv4");
}

} // namespace
} // namespace chatserv
