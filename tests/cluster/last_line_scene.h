// A host whose room ends while the socket of one of its users is full, on one server of NATS.
#pragma once

#include "shared/segment/last_line.h"
#include "tests/bridge/stream_control.h"
#include "tests/cluster/room.h"
#include "tests/crash/lasting_control.h"

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace chatserv::test {

// In the log, where it is too late for some.
inline constexpr const char* not_read = " did not read in time all that there was to read";

// More than the sockets hold, and less than the log does.
inline std::string much(const std::string& last_line) {
    std::string text;
    for (unsigned number = 0; text.size() < 500'000; ++number)
        text += "line " + std::to_string(number) + "\n";
    return text + last_line;
}

// Cleo speaks, Anna reads, and Ben reads when he is told to.
class LastLineScene : public testing::Test {
protected:
    void start(const std::string& stall_limit, RoomOptions options = {}) {
        options.hosts = 1;
        options.more = {
            "--workers", "2", "--spares", "2", "--log-size", "1M", "--stall-limit", stall_limit};
        room.emplace(loop, nats, options);
        cleo = room->join(0);
        anna = room->join(0);
        constexpr int receive_buffer_bytes = 4096;
        ben = std::make_unique<Client>(loop, server().endpoint(), receive_buffer_bytes);
        server().wait_for_join(ben->address());
    }
    Server& server() { return room->host(0); }

    void say_what_ben_does_not_read(const std::string& text) {
        ben->pause();
        cleo->send(text);
        anna->wait_for_bytes(text.size());
        const std::uint64_t last = StreamControl(nats.urls(), "hall").last();
        (void)room->wait_for_report(
            0,
            [last](const auto& report) {
                return report.at("applied") == last && report.at("waiting") == 0;
            },
            "a host that has read all");
        LastingControl control(loop, room->control(0));
        const auto status = nlohmann::json::parse(control.answer("status"));
        EXPECT_GT(status.at("slowest").at(0).at("backlog"), 100'000) << "the sockets hold too much";
    }
    void end_room() {
        StreamControl(nats.urls(), "hall").purge();
        const std::optional<pid_t> bridge = room->bridge_pid(0);
        ASSERT_TRUE(bridge);
        ::kill(*bridge, SIGKILL); // the next one looks for what was read last
        cleo->send("reaches nobody\n");
    }
    void expect_end(Client& client, const std::string& text) {
        client.resume();
        client.wait_for_end();
        EXPECT_EQ(client.end_error(), 0);
        EXPECT_EQ(client.received().size(), text.size());
        EXPECT_TRUE(client.received() == text) << client.received().substr(
            client.received().size() - std::min<std::size_t>(client.received().size(), 200));
    }
    void expect_that_the_server_ends() {
        EXPECT_EQ(server().process().wait_for_exit(), Room::status_of_the_end);
        EXPECT_TRUE(server().process().group_is_gone());
    }

    Loop loop;
    NatsCluster nats{loop, 1};
    std::optional<Room> room;
    std::unique_ptr<Client> cleo;
    std::unique_ptr<Client> anna;
    std::unique_ptr<Client> ben;
    const std::string line{room_over_line};
};

} // namespace chatserv::test
