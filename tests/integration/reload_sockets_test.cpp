// Reloads of a server to which a service manager hands sockets over, or for which it keeps some.
#include "shared/system/shared_table.h"
#include "tests/harness/datagram_listener.h"
#include "tests/integration/handed_socket.h"
#include "tests/integration/reload_test.h"

#include <cerrno>
#include <csignal>
#include <gmock/gmock.h>
#include <string_view>

namespace chatserv::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ReloadSocketsTest : public ReloadTest {
protected:
    // A socket unit's socket is the only one.
    void start_with_unit(const UniqueFd& socket_of_unit) {
        configure("");
        server_ = std::make_unique<Server>(
            loop_, ServerOptions{.listen = {},
                       .more = {"--config", config(), "--control", socket(), "--workers", "2"},
                       .environment = {{"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "chatserv.socket"}},
                       .starter = with_own_pid,
                       .descriptors = {socket_of_unit.get()}});
    }
    // The next message to the manager that begins so.
    DatagramListener::Heard wait_for_message(std::string_view begin) {
        DatagramListener::Heard heard;
        EXPECT_TRUE(comes_true([&] {
            if (!heard.text.starts_with(begin)) // it is asked once more when it has come true
                heard = manager_.hear();
            return heard.text.starts_with(begin);
        })) << begin;
        return heard;
    }

    DatagramListener manager_;
};

TEST_F(ReloadSocketsTest, TheSocketOfAUnitStays) {
    const UniqueFd socket_of_unit = listening_socket();
    start_with_unit(socket_of_unit);
    const auto early = join();
    configure("users = 5\n");
    EXPECT_EQ(reload().output, "users: 10 -> 5\n") << "where to listen has not changed";
    configure("users = 5\nlisten = 127.0.0.2:0\n");
    EXPECT_THAT(reload().output, StartsWith("listen: the sockets of the service manager -> "));
    const Endpoint added = wait_for_listener(2);
    Client second(loop_, added);
    server_->wait_for_join(second.address());
    const auto third = join();
    if (can_share_descriptors()) {
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with 3 users");
    }
    configure("users = 5\n");
    EXPECT_THAT(reload().output, HasSubstr(" -> the sockets of the service manager\n"));
    Client late(loop_, added);
    late.wait_for_end();
    EXPECT_EQ(late.end_error(), ECONNREFUSED);
    const auto fourth = join();
    fourth->send("still here");
    early->wait_for("still here");
    second.wait_for("still here");
    third->wait_for("still here");
    EXPECT_EQ(server_->stop(), 0);
}

// What the manager keeps follows; until it has let go of a socket, its copy accepts nobody.
TEST_F(ReloadSocketsTest, TheManagerKeepsWhatIsInForce) {
    environment_ = {{"NOTIFY_SOCKET", manager_.path()}};
    start_configured("listen = 127.0.0.1:0\n", {}, {});
    const Endpoint former = wait_for_listener(1);
    const DatagramListener::Heard first = wait_for_message("FDSTORE=1\nFDNAME=");
    ASSERT_NE(first.descriptor.get(), -1);
    configure("listen = 127.0.0.2:0\n");
    EXPECT_EQ(reload().status, 0);
    const DatagramListener::Heard second = wait_for_message("FDSTORE=1\nFDNAME=");
    EXPECT_THAT(second.text, HasSubstr("127.0.0.2_"));
    const std::string name = first.text.substr(first.text.find("FDNAME="));
    EXPECT_EQ(wait_for_message("FDSTOREREMOVE=1\n").text, "FDSTOREREMOVE=1\n" + name);
    Client late(loop_, former);
    late.wait_for_end();
    EXPECT_EQ(late.end_error(), ECONNREFUSED);
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
