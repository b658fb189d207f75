// H1: what R1 to R9 say of one server holds for a room on three hosts.
#include "tests/cluster/crowd.h"
#include "tests/cluster/room.h"
#include "tests/cluster/shared_nats_test.h"
#include "tests/harness/seed.h"
#include "tests/oracle/total_order.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace chatserv::test {
namespace {

class RoomTest : public SharedNatsTest {
protected:
    void start(RoomOptions options = {}) {
        options.name = next_room();
        room.emplace(*loop, *nats, options);
    }
    // Two on each host, and who is on which: client i is on host i / 2.
    void gather() {
        for (std::size_t i = 0; i < 2 * room->size(); ++i)
            clients.push_back(room->join(i / 2));
        heard.resize(clients.size());
    }
    // Waits until all others have got it.
    void say(std::size_t from, const std::string& text) {
        clients[from]->send(text);
        for (std::size_t to = 0; to < clients.size(); ++to) {
            if (to == from)
                continue;
            heard[to] += text;
            clients[to]->wait_for_bytes(heard[to].size());
        }
    }
    void expect_that_all_heard_just_that() {
        for (std::size_t i = 0; i < clients.size(); ++i)
            EXPECT_EQ(clients[i]->received(), heard[i]) << "client " << i;
    }

    std::optional<Room> room;
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<std::string> heard;
};

TEST_F(RoomTest, WhatOneSaysAllOthersOnAllHostsGetAndTheSenderDoesNot) {
    start();
    gather();
    for (std::size_t from = 0; from < clients.size(); ++from)
        say(from, "I am client " + std::to_string(from) + std::string(1, '\0') + "\n");
    expect_that_all_heard_just_that();
    EXPECT_THAT(room->stop(), testing::IsEmpty());
}

TEST_F(RoomTest, AllHaveOneOrderAndEachByteOnce) {
    std::mt19937_64 random(base_seed());
    start({.more = {"--workers", "2", "--users", "1000"}});
    Crowd crowd(*loop, *room, base_seed());
    for (std::size_t i = 0; i < 12; ++i)
        crowd.invite(i % 3, i % 5 == 0);
    crowd.wait_until_joined();
    for (std::uint64_t bytes = 0; bytes < 100'000 && !crowd.someone_was_cut(); bytes += 500) {
        crowd.observe();
        crowd.speak(bytes, random);
        crowd.pause_or_resume(random);
        if (random() % 8 == 0)
            crowd.invite(random() % 3);
        if (random() % 8 == 0)
            crowd.somebody_leaves(12, random);
        loop->turn(std::chrono::milliseconds(random() % 3));
    }
    crowd.settle();
    EXPECT_THAT(crowd.violations(), testing::IsEmpty());
    EXPECT_THAT(room->stop(), testing::IsEmpty());
}

// R5: the others get all that it sent, it gets all that its host had before, and is let go.
TEST_F(RoomTest, AnEndOfFileIsInTheOrder) {
    start();
    gather();
    say(1, "before\n");
    clients[0]->send("the last words");
    clients[0]->half_close();
    clients[0]->wait_for_end();
    EXPECT_EQ(clients[0]->end_error(), 0);
    EXPECT_EQ(clients[0]->received(), heard[0]);
    for (std::size_t to = 1; to < clients.size(); ++to) {
        heard[to] += "the last words";
        clients[to]->wait_for_bytes(heard[to].size());
    }
    expect_that_all_heard_just_that();
}

// R4.
TEST_F(RoomTest, ANewcomerGetsWhatIsSaidThen) {
    start();
    gather();
    say(0, "long ago\n");
    for (std::size_t host = 0; host < room->size(); ++host) {
        clients.push_back(room->join(host));
        heard.emplace_back();
        say(host, "welcome\n");
    }
    clients[3]->reset(); // and who leaves takes nobody along
    room->host(1).wait_for_line(" left: ");
    clients.erase(clients.begin() + 3);
    heard.erase(heard.begin() + 3);
    say(0, "one has left\n");
    expect_that_all_heard_just_that();
}

// A host that joins later is there for what is said then, and its slots are its own.
TEST_F(RoomTest, AHostThatJoinsLaterHearsWhatIsSaidThen) {
    start({.hosts = 2});
    gather();
    say(0, "before\n");
    room->add_host();
    clients.push_back(room->join(2));
    heard.emplace_back();
    say(0, "after\n");
    say(4, "hello from the third host\n");
    expect_that_all_heard_just_that();
}

TEST_F(RoomTest, WholeLinesStayWholeAndBearTheirSendersNames) {
    start({.more = {"--framing", "line", "--prefix", "name"}});
    gather();
    const std::vector<std::string> names{"Ada", "Bob", "Cy", "Dee", "Eve", "Fay"};
    const std::string said = ": half of a line\n";
    for (std::size_t i = 0; i < clients.size(); ++i)
        clients[i]->send(names[i] + "\n");
    for (const auto& client : clients)
        client->send("half of ");
    for (const auto& client : clients)
        client->send("a line\n");
    std::vector<Section> sections;
    for (std::size_t i = 0; i < clients.size(); ++i) {
        Section section{.name = names[i], .own = static_cast<unsigned>(i)};
        std::string due;
        for (std::size_t from = 0; from < clients.size(); ++from) {
            if (from != i) {
                due += names[from] + said;
                section.windows[from] = Window{.first = 0, .end = 1};
            }
        }
        clients[i]->wait_for_bytes(due.size());
        std::istringstream lines(clients[i]->received());
        for (std::string line; std::getline(lines, line);) {
            const auto name = std::ranges::find(names, line.substr(0, line.find(':')));
            ASSERT_NE(name, names.end()) << line;
            EXPECT_EQ(line + '\n', *name + said);
            section.runs.push_back(
                {.sender = static_cast<unsigned>(name - names.begin()), .first = 0, .length = 1});
        }
        sections.push_back(std::move(section));
    }
    std::array<std::uint64_t, senders_max> totals{};
    std::fill_n(totals.begin(), clients.size(), 1);
    EXPECT_EQ(find_disagreement(sections, totals), std::nullopt);
}

// One who says much and reads nothing holds up its own host alone.
TEST_F(RoomTest, AStalledReaderHoldsUpItsOwnHostAlone) {
    start({.more = {"--log-size", "256K", "--stall-limit", "3600"}});
    const auto sender = room->join(0);
    const auto there = room->join(1);
    const auto here = std::make_unique<Client>(*loop, room->host(2).endpoint(), 2048);
    room->host(2).wait_for_join(here->address());
    here->pause();
    std::string text;
    for (int i = 0; text.size() < 3'000'000; ++i)
        text += std::to_string(i) + '\n';
    sender->send(text);
    there->wait_for_bytes(text.size());
    EXPECT_EQ(there->received(), text);
    here->resume();
    here->wait_for_bytes(text.size());
    EXPECT_EQ(here->received(), text);
}

} // namespace
} // namespace chatserv::test
