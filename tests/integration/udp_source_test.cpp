// UDP in and out: datagrams are relayed, lines become datagrams, and what is lost is counted.
#include "tests/integration/source_test.h"

#include "shared/system/shared_table.h"
#include "tests/harness/udp_socket.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <optional>

namespace chatserv::test {
namespace {

using testing::HasSubstr;

class UdpSourceTest : public SourceTest {
protected:
    // A port at which nobody receives.
    static Endpoint free_port() { return UdpSocket().endpoint(); }

    // The server receives at `at_`.
    void start_receiving(std::vector<std::string> options = {}) {
        start_with_source("udp:" + at_.text(), std::move(options));
        wait_until_joined(1);
    }
    void start_sending(std::vector<std::string> options = {}) {
        start_with_source("listen:" + peer_.address(), std::move(options));
        wait_until_joined(1);
    }
    // What the clients say is on its way only while the loop turns.
    UdpSocket::Heard hear(const UdpSocket& socket) {
        EXPECT_TRUE(comes_true([&] { return socket.has_unread(); })) << "no datagram has come";
        return socket.hear();
    }
    void say(const std::string& datagram) const { ASSERT_TRUE(peer_.send_to(at_, datagram)); }

    void kill_source() {
        const pid_t process = process_of_source();
        ASSERT_NE(process, 0);
        const std::size_t joined = server_->count(" joined from ");
        ::kill(process, SIGKILL);
        server_->wait_for_line("is not connected: its connection has ended");
        wait_until_joined(joined + 1);
    }

    UdpSocket peer_;
    const Endpoint at_ = free_port();
};

TEST_F(UdpSourceTest, DatagramsAreHeardByAll) {
    start_receiving();
    const auto first = join();
    const auto second = join();
    say("$GPGLL\r\n");
    say("no end;");
    first->wait_for("no end;");
    second->wait_for("no end;");
    first->send("a remark;");
    second->wait_for("a remark;");
    EXPECT_EQ(first->received(), "$GPGLL\r\nno end;");
    const auto said = source();
    EXPECT_EQ(said["source"], "udp:" + at_.text());
    EXPECT_EQ(said["state"], "connected");
    EXPECT_EQ(said["dropped"], 0);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(UdpSourceTest, EachLineIsADatagram) {
    start_sending({"--framing", "line", "--source-greeting", "hello"});
    EXPECT_EQ(hear(peer_).datagram, "hello");
    const auto first = join();
    const auto second = join();
    first->send("$GPGLL\r\n!AIV");
    EXPECT_EQ(hear(peer_).datagram, "$GPGLL\r\n");
    second->send("$GPRMC\r\n");
    EXPECT_EQ(hear(peer_).datagram, "$GPRMC\r\n");
    first->send("DM\r\n");
    const auto heard = hear(peer_);
    EXPECT_EQ(heard.datagram, "!AIVDM\r\n");
    ASSERT_TRUE(peer_.send_to(heard.from, "nobody hears this"));
    first->send("the end\n");
    second->wait_for("the end\n");
    EXPECT_THAT(second->received(), testing::Not(HasSubstr("nobody")));
}

TEST_F(UdpSourceTest, WhatComesBackIsHeardIfItTalks) {
    start_with_source("talk:" + peer_.address());
    wait_until_joined(1);
    const auto user = join();
    user->send("a question;");
    const auto heard = hear(peer_);
    EXPECT_EQ(heard.datagram, "a question;");
    ASSERT_TRUE(peer_.send_to(heard.from, "an answer;"));
    user->wait_for("an answer;");
}

// From one port to another, through the server: what comes in goes out, and not round.
TEST_F(UdpSourceTest, CanBeBothInAndOut) {
    start_with_source("udp:" + at_.text(), {"--source", "listen:" + peer_.address()});
    wait_until_joined(2);
    const UdpSocket instrument;
    for (const char* const sentence : {"$ONE\r\n", "$TWO\r\n", "$THREE\r\n"}) {
        ASSERT_TRUE(instrument.send_to(at_, sentence));
        EXPECT_EQ(hear(peer_).datagram, sentence);
    }
}

TEST_F(UdpSourceTest, LosesNothingWhenWorkersAndMastersDie) {
    start_receiving();
    const auto user = join();
    std::string said;
    for (std::size_t death = 0; death < 6; ++death) {
        if (death == 3 && can_share_descriptors())
            kill_master();
        else
            kill_worker(death % 2);
        const std::string datagram = "after death " + std::to_string(death) + "\n";
        say(datagram);
        said += datagram;
        user->wait_for(datagram);
    }
    EXPECT_EQ(user->received(), said);
    EXPECT_EQ(server_->count("is not connected"), 0U);
}

TEST_F(UdpSourceTest, ComesBackWhenItsProcessDies) {
    start_receiving();
    const auto user = join();
    say("before;");
    user->wait_for("before;");
    kill_source();
    say("after;");
    user->wait_for("after;");
    EXPECT_EQ(user->received(), "before;after;");
}

TEST_F(UdpSourceTest, WaitsForItsPort) {
    std::optional<UdpSocket> other(std::in_place, at_);
    start_with_source("udp:" + at_.text());
    server_->wait_for_line("is not connected: Address already in use; the next try is in ");
    other.reset();
    wait_until_connected();
}

class LostDatagramsTest : public UdpSourceTest {
protected:
    // Says lines to a port at which nobody receives.
    void start_in_vain() {
        start_with_source("listen:udp:" + at_.text(), {"--framing", "line"});
        wait_until_joined(1);
        user_ = join();
    }
    void wait_until_lost(uint64_t datagrams) {
        wait_for_stats([&](const nlohmann::json& said) {
            return said["dropped_datagrams"].get<uint64_t>() >= datagrams;
        });
        EXPECT_EQ(source()["dropped"], datagrams);
    }

    std::unique_ptr<Client> user_;
};

TEST_F(LostDatagramsTest, AreCountedAndSaid) {
    start_in_vain();
    user_->send("1\n2\n3\n");
    server_->wait_for_line("source udp:" + at_.text() + " has lost ");
    wait_until_lost(3);
    server_->wait_for_line(" in all: Connection refused");
    const UdpSocket late(at_);
    user_->send("heard\n");
    EXPECT_EQ(hear(late).datagram, "heard\n");
    EXPECT_EQ(server_->count("is not connected"), 0U);
}

TEST_F(LostDatagramsTest, AreCountedOnWhoeverDies) {
    start_in_vain();
    user_->send("1\n2\n");
    wait_until_lost(2);
    kill_source();
    user_->send("3\n");
    wait_until_lost(3);
    if (!can_share_descriptors())
        return;
    kill_master();
    wait_until_lost(3);
    user_->send("4\n");
    wait_until_lost(4);
}

#ifdef SO_RXQ_OVFL
// A stopped process reads nothing, and the system drops what does not fit.
TEST_F(LostDatagramsTest, ThatTheSystemHadNoRoomForAreCountedToo) {
    start_receiving({large_log, no_stall_limit});
    const auto user = join();
    const pid_t process = process_of_source();
    ASSERT_NE(process, 0);
    ::kill(process, SIGSTOP);
    const std::size_t sent = 5000;
    for (std::size_t i = 0; i < sent; ++i)
        say(std::string(999, 'x') + "\n");
    ::kill(process, SIGCONT);
    std::size_t probes = 0; // the system says with the next one that fits what it has lost
    ASSERT_TRUE(comes_true([&] {
        say("z");
        ++probes;
        return stats()["dropped_datagrams"].get<std::size_t>() > 0;
    }));
    const auto relayed = [&] {
        const std::string& received = user->received();
        return std::ranges::count(received, '\n') + std::ranges::count(received, 'z');
    };
    wait_for_stats([&](const nlohmann::json& said) {
        return said["dropped_datagrams"].get<std::size_t>() + static_cast<std::size_t>(relayed()) ==
               sent + probes;
    });
    server_->wait_for_line(" in all: they came faster than they were read");
}
#endif

} // namespace
} // namespace chatserv::test
