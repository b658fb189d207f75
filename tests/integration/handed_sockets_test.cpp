// Sockets that a service manager hands over: those of a socket unit, and those that it has kept
// from one server to the next.
#include "shared/system/shared_table.h"
#include "tests/harness/datagram_listener.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/handed_socket.h"
#include "tests/integration/server_test.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class HandedSocketsTest : public ServerTest {
protected:
    void start_with(
        const UniqueFd& socket, const std::string& name, const std::vector<std::string>& listen) {
        server_ = std::make_unique<Server>(
            loop_, ServerOptions{.listen = listen,
                       .more = {"--workers", "2"},
                       .environment = {{"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", name},
                           {"NOTIFY_SOCKET", manager_.path()}},
                       .starter = with_own_pid,
                       .descriptors = {socket.get()}});
    }

    // The next socket that the server wants to be kept, and its name.
    struct Kept {
        std::string name{};
        UniqueFd socket{};
    };
    Kept wait_for_kept() {
        Kept kept;
        EXPECT_TRUE(comes_true([&] {
            auto heard = manager_.hear();
            constexpr std::string_view name = "FDNAME=";
            if (const std::size_t at = heard.text.find(name);
                heard.text.starts_with("FDSTORE=1\n") && at != std::string::npos) {
                kept.name = heard.text.substr(at + name.size());
                kept.name.pop_back(); // the end of the line
                kept.socket = std::move(heard.descriptor);
            }
            return kept.socket.get() != -1;
        })) << "no socket is to be kept";
        return kept;
    }

    DatagramListener manager_;
};

TEST_F(HandedSocketsTest, TakeThePlaceOfTheDefault) {
    const UniqueFd socket = listening_socket();
    start_with(socket, "chatserv.socket", {});
    EXPECT_EQ(server_->count("listening on "), 1U);
    EXPECT_EQ(server_->count(" (handed over by the service manager)"), 1U);
    expect_conversation();
}

TEST_F(HandedSocketsTest, StayAfterTheDeathOfMasterAndKeeper) {
    if (!can_share_descriptors() || title_of(::getpid()).empty())
        GTEST_SKIP() << "no keeper on this system, or no titles";
    const UniqueFd socket = listening_socket();
    start_with(socket, "chatserv.socket", {});
    ASSERT_TRUE(server_->process().adopt_orphans());
    ::kill(server_->master_pid(), SIGKILL);
    server_->wait_for_line(" carries on");
    const auto client = join();
    server_->process().signal(SIGKILL);
    server_->wait_for_line(" carries on", 2);
    expect_conversation();
}

// What a restart of the service is: the socket goes on listening meanwhile.
TEST_F(HandedSocketsTest, ServeThoseWhoCameWhileNoServerRan) {
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.environment = {{"NOTIFY_SOCKET", manager_.path()}}});
    const Kept kept = wait_for_kept();
    EXPECT_THAT(kept.name, HasSubstr("127.0.0.1_"));
    const std::string address = server_->endpoint().text();
    EXPECT_EQ(server_->stop(), 0);

    Client early(loop_, Endpoint(address));
    early.send("I was here before you\n");
    start_with(kept.socket, kept.name, {address});
    EXPECT_EQ(server_->count(" (kept by the service manager since the last start)"), 1U);
    server_->wait_for_join(early.address());
    const auto late = join();
    early.send("hello\n");
    late->wait_for("hello\n");
}

TEST_F(HandedSocketsTest, ThatWereKeptGiveUpAnAddressThatIsNoLongerAskedFor) {
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{.environment = {{"NOTIFY_SOCKET", manager_.path()}}});
    const Kept kept = wait_for_kept();
    const std::string address = server_->endpoint().text();
    EXPECT_EQ(server_->stop(), 0);
    // A process that ends closes its standard error before its listen socket.
    EXPECT_TRUE(server_->process().group_is_gone());
    const std::string port = address.substr(address.rfind(':'));
    start_with(kept.socket, kept.name, {"0.0.0.0" + port});
    bool heard = false;
    EXPECT_TRUE(comes_true([&] {
        heard = heard || manager_.hear().text == "FDSTOREREMOVE=1\nFDNAME=" + kept.name + "\n";
        return heard;
    }));
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(HandedSocketsTest, EndTheStartInOneLineIfTheyDoNotFit) {
    const UniqueFd socket = listening_socket(SOCK_DGRAM);
    Command command{.arguments = with_own_pid,
        .environment = {{"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "chatserv.socket"}},
        .descriptors = {socket.get()}};
    command.arguments.push_back(chatserv_path());
    const Finished finished = run(loop_, command);
    EXPECT_EQ(finished.status, EX_CONFIG);
    EXPECT_EQ(finished.errors,
        "chatserv: the service manager handed over descriptor 3 (chatserv.socket), which is not a "
        "stream socket: chatserv takes listening stream sockets, ListenStream=ADDRESS:PORT or PATH "
        "with Accept=no\n");
}

} // namespace
} // namespace chatserv::test
