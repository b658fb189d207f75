// The client book: its parts agree after each step, and a client that is released reads its last
// line.
#include "master/clients/client_book.h"
#include "tests/unit/small_segment.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <unistd.h>

namespace chatserv {
namespace {

enum class Watched : uint8_t { lingering = 2 };
constexpr EntryId entry{1};

class ClientBookTest : public testing::Test {
protected:
    // The client's end of a connection from this address.
    struct Newcomer {
        Listener::Accepted accepted;
        UniqueFd client;
    };
    static Newcomer come_from(const char* address) {
        FdPair ends = make_stream_pair();
        set_nonblocking(ends.second.get());
        return {{std::move(ends.first), *Address::parse(address)}, std::move(ends.second)};
    }

    static std::string read_all(const UniqueFd& client) {
        char text[64];
        const ssize_t got = ::read(client.get(), text, sizeof text);
        return {text, got > 0 ? static_cast<size_t>(got) : 0};
    }

    nlohmann::ordered_json counted() {
        nlohmann::ordered_json counted;
        book_.counters().add_to(counted);
        return counted;
    }

    SmallSegment segment_{2};
    EventQueue events_;
    ServedRecord record_{};
    ServedClock clock_{record_, std::chrono::milliseconds(100)};
    ClientBook book_{Escrow(segment_.users, 2, false), {.max_per_address = 1},
        LingeringClose(events_, clock_, Watched::lingering, 3),
        {.max_rate_bytes = 1024, .idle_timeout = std::chrono::seconds(600)}};
};

TEST_F(ClientBookTest, RefusesByAddressAndWhenTheTableIsFull) {
    const Address first = *Address::parse("192.0.2.1:1");
    EXPECT_EQ(book_.refusal(first), std::nullopt);
    (void)book_.take_in(come_from("192.0.2.1:1").accepted, entry);
    EXPECT_EQ(book_.refusal(first), Refusal::address_full);
    const ClientId second = book_.take_in(come_from("192.0.2.2:1").accepted, entry);
    EXPECT_EQ(book_.refusal(*Address::parse("192.0.2.3:1")), Refusal::table_full);
    book_.release_client(second, {LeaveReason::end_of_file});
    EXPECT_EQ(book_.refusal(*Address::parse("192.0.2.2:1")), std::nullopt);
    EXPECT_EQ(counted()["accepted"], 2);
    EXPECT_EQ(counted()["left"]["end_of_file"], 1);
}

TEST_F(ClientBookTest, TellsANewcomerWhyItIsRefused) {
    Newcomer newcomer = come_from("192.0.2.1:1");
    book_.turn_away(std::move(newcomer.accepted), Refusal::not_allowed);
    EXPECT_EQ(read_all(newcomer.client), "your address is not allowed here!\n");
    EXPECT_EQ(counted()["turned_away"]["not_allowed"], 1);
    EXPECT_FALSE(book_.lingering_close().empty());
    EXPECT_TRUE(book_.escrow().empty());
}

TEST_F(ClientBookTest, TellsAnIdleClientWhyItIsDisconnected) {
    Newcomer newcomer = come_from("192.0.2.1:1");
    const ClientId client = book_.take_in(std::move(newcomer.accepted), entry);
    book_.release_client(client, {LeaveReason::idle});
    EXPECT_EQ(read_all(newcomer.client), "idle for too long!\n");
    EXPECT_FALSE(book_.lingering_close().empty());
    EXPECT_TRUE(book_.escrow().empty()) << "the slot is free before the connection is closed";
}

TEST_F(ClientBookTest, ClosesOtherClientsWithoutALine) {
    Newcomer newcomer = come_from("192.0.2.1:1");
    const ClientId client = book_.take_in(std::move(newcomer.accepted), entry);
    book_.release_client(client, {LeaveReason::stalled});
    EXPECT_EQ(read_all(newcomer.client), "");
    EXPECT_TRUE(book_.lingering_close().empty());
}

TEST_F(ClientBookTest, CountsAThrottledClientOnce) {
    const ClientId client = book_.take_in(come_from("192.0.2.1:1").accepted, entry);
    HeldClient& held = *book_.escrow().find_served_by(entry, client);
    book_.note_throttled(client, held);
    book_.note_throttled(client, held);
    EXPECT_EQ(counted()["throttled"], 1);
}

TEST_F(ClientBookTest, SaysOnceThatRoomWasFreed) {
    const ClientId client = book_.take_in(come_from("192.0.2.1:1").accepted, entry);
    EXPECT_FALSE(book_.take_room_freed());
    book_.release_client(client, {LeaveReason::overwritten});
    EXPECT_TRUE(book_.take_room_freed());
    EXPECT_FALSE(book_.take_room_freed());
}

} // namespace
} // namespace chatserv
