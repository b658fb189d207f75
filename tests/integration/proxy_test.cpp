// Users behind proxies, with headers of the PROXY protocol that the tests write themselves.
#include "tests/integration/reload_test.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/un.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

std::string line_of(const std::string& client) {
    return "PROXY TCP4 " + client + " 192.0.2.1 4711 9999\r\n";
}

class ProxyTest : public StatsServerTest {
protected:
    void start_behind_proxies(std::vector<std::string> options = {"--proxy-trust", "127.0.0.1"}) {
        options.insert(options.end(), {"--workers", "2", "--control", socket()});
        start_on({"127.0.0.1:0", "proxy:127.0.0.1:0"}, options);
    }

    // A connection of a proxy, on which it sends this.
    std::unique_ptr<Client> connect(const std::string& sent) {
        auto proxy = std::make_unique<Client>(loop_, server_->endpoint(1));
        proxy->send(sent);
        return proxy;
    }
    std::unique_ptr<Client> join_from(const std::string& client, const std::string& words = "") {
        auto proxy = connect(line_of(client) + words);
        server_->wait_for_join(client + ":4711");
        return proxy;
    }
    void expect_turned_away(Client& proxy, const std::string& line) {
        proxy.wait_for_end();
        EXPECT_EQ(proxy.end_error(), 0);
        EXPECT_EQ(proxy.received(), line);
    }
    nlohmann::json turned_away() { return stats()["turned_away"]; }
};

TEST_F(ProxyTest, AUserIsKnownByTheAddressThatIsAnnounced) {
    start_behind_proxies();
    const auto here = join();
    const auto behind = join_from("203.0.113.7", "hello\n");
    here->wait_for("hello\n");
    EXPECT_EQ(here->received(), "hello\n") << "not a byte of the header";
    here->send("and you?\n");
    behind->wait_for("and you?\n");
    const Finished users =
        run(loop_, {{chatserv_path(), "users", "--json", "--interval=0", "--control", socket()}});
    EXPECT_THAT(users.output, HasSubstr(R"("address":"203.0.113.7:4711")"));
    EXPECT_THAT(users.output, HasSubstr(R"("bytes_in":6)"));
}

TEST_F(ProxyTest, AHeaderOfVersion2MayComeInPieces) {
    start_behind_proxies();
    const auto here = join();
    const std::string header =
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\xc0\0\2\1\x12\x67\0\1"s;
    const auto behind = connect("");
    for (const char byte : header + "hello\n") {
        behind->send({&byte, 1});
        loop_.wait_until([&] { return behind->is_sent(); }, "a byte is sent");
    }
    server_->wait_for_join("203.0.113.7:4711");
    here->wait_for("hello\n");
    EXPECT_EQ(here->received(), "hello\n");
}

TEST_F(ProxyTest, LimitsHoldForTheAnnouncedAddresses) {
    start_behind_proxies(
        {"--proxy-trust", "127.0.0.1", "--max-per-address", "1", "--deny", "198.51.100.0/24"});
    const auto first = join_from("203.0.113.7");
    const auto other = join_from("203.0.113.8");
    const auto second = connect(line_of("203.0.113.7"));
    expect_turned_away(*second, "too many connections from your address!\n");
    const auto denied = connect(line_of("198.51.100.4"));
    expect_turned_away(*denied, "your address is not allowed here!\n");
    server_->wait_for_line("not allowed: 198.51.100.4:4711 turned away");
    first->half_close();
    first->wait_for_end();
    const auto again = join_from("203.0.113.7");
}

TEST_F(ProxyTest, OnlyProxiesMayConnectThere) {
    start_behind_proxies();
    const auto person = connect("hello everybody\n");
    expect_turned_away(*person, "a PROXY protocol header must come first!\n");
    server_->wait_for_line(
        "no PROXY protocol header came first: " + person->address() + " turned away");
    for (int i = 0; i < 20; ++i)
        expect_turned_away(*connect("hello?\n"), "a PROXY protocol header must come first!\n");
    EXPECT_EQ(turned_away()["proxy_header"], 21);
    EXPECT_EQ(server_->count("no PROXY protocol header came first"), 1U);
    EXPECT_EQ(stats()["accepted"], 0);
}

TEST_F(ProxyTest, OfAnotherNetworkNoneIsBelieved) {
    start_behind_proxies({"--proxy-trust", "192.0.2.0/24,2001:db8::/32"});
    const auto proxy = connect(line_of("203.0.113.7"));
    expect_turned_away(*proxy, "only proxies may connect here!\n");
    server_->wait_for_line("not a trusted proxy: " + proxy->address() + " turned away");
}

TEST_F(ProxyTest, OneThatIsSilentIsTurnedAwayAndHoldsUpNobody) {
    start_behind_proxies({"--proxy-trust", "127.0.0.1", "--proxy-timeout", "0.2"});
    const auto silent = connect("PROXY TCP4");
    const auto here = join();
    const auto behind = join_from("203.0.113.7", "hello\n");
    here->wait_for("hello\n");
    expect_turned_away(*silent, "a PROXY protocol header must come first!\n");
    EXPECT_EQ(turned_away()["proxy_silent"], 1);
}

TEST_F(ProxyTest, AHealthCheckLeavesNoTraceInTheLog) {
    start_behind_proxies();
    const auto check = connect("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s);
    expect_turned_away(*check, "");
    auto other_check = connect("");
    loop_.wait_until([&] { return other_check->is_sent(); }, "it is connected");
    other_check->half_close();
    other_check->wait_for_end();
    wait_for_stats(
        [](const nlohmann::json& said) { return said["turned_away"]["proxy_check"] == 2; });
    EXPECT_EQ(server_->count("turned away"), 0U);
}

TEST_F(ProxyTest, ANetworkMustBeTrustedFirst) {
    const Finished finished =
        run(loop_, {{chatserv_path(), "--listen", "listen:proxy:127.0.0.1:0", "--check-config"}});
    EXPECT_EQ(finished.status, EX_USAGE);
    EXPECT_THAT(
        finished.errors, HasSubstr("--listen listen:proxy:127.0.0.1:0 needs --proxy-trust"));
}

class ProxyReloadTest : public ReloadTest {};

TEST_F(ProxyReloadTest, MakesAnAddressOneOfProxies) {
    start_configured("listen = 127.0.0.1:0\n", {"--workers", "2"}, {});
    const auto before = join();
    const std::string port = std::to_string(server_->endpoint().port());
    configure("listen = proxy:127.0.0.1:" + port + "\nproxy-trust = 127.0.0.1\n");
    EXPECT_EQ(reload().status, 0);
    Client behind(loop_, server_->endpoint());
    behind.send(line_of("203.0.113.7") + "hello\n");
    server_->wait_for_join("203.0.113.7:4711");
    before->wait_for("hello\n");
    kill_master_if_there();
    server_->wait_for_line("another one starts");
    Client next(loop_, server_->endpoint());
    next.send(line_of("203.0.113.8") + "and I\n");
    server_->wait_for_join("203.0.113.8:4711");
    before->wait_for("hello\nand I\n");
}

// Their account begins behind the header, whatever dies.
TEST_F(ProxyTest, UsersOutliveWorkersAndMasters) {
    start_behind_proxies();
    const auto here = join();
    const auto behind = join_from("203.0.113.7", "one\n");
    here->wait_for("one\n");
    for (const pid_t worker : server_->worker_pids())
        ::kill(worker, SIGKILL);
    behind->send("two\n");
    here->wait_for("one\ntwo\n");
    const auto waiting = connect(line_of("203.0.113.8").substr(0, 30));
    kill_master_if_there();
    behind->send("three\n");
    here->wait_for("one\ntwo\nthree\n");
    waiting->send(line_of("203.0.113.8").substr(30) + "four\n");
    here->wait_for("one\ntwo\nthree\nfour\n");
    EXPECT_EQ(here->received(), "one\ntwo\nthree\nfour\n");
    EXPECT_EQ(server_->stop(), 0);
}

class ProxyAtPathTest : public ProxyTest {
protected:
    [[nodiscard]] std::string path() const { return folder_.path().string() + "/door"; }

    [[nodiscard]] UniqueFd connect_to_path() const {
        UniqueFd proxy(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(
            ::connect(proxy.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        return proxy;
    }
    static void say(const UniqueFd& proxy, std::string_view words) {
        ASSERT_EQ(
            ::send(proxy.get(), words.data(), words.size(), 0), static_cast<ssize_t>(words.size()));
    }
};

// The file's mode says which proxies may connect. A user has an IP address and a UNIX socket, whose
// unfinished lines do not wait in the socket.
TEST_F(ProxyAtPathTest, NeedsNoTrustAndKeepsUnfinishedLines) {
    start_with_control({"--framing", "line", "--prefix", "address", "--workers", "1",
        no_stall_limit, "--listen", "proxy:unix:" + path()});
    server_->wait_for_line("listening on unix:" + path() + ", behind proxies");
    const auto reader = join();
    const UniqueFd proxy = connect_to_path();
    say(proxy, line_of("203.0.113.7"));
    server_->wait_for_join("203.0.113.7:4711");
    const std::string line(2000, 'x');
    for (const char& byte : line)
        say(proxy, {&byte, 1});
    say(proxy, "\n");
    reader->wait_for("\n");
    EXPECT_EQ(reader->received(), "203.0.113.7:4711: " + line + "\n");
}

} // namespace
} // namespace chatserv::test
