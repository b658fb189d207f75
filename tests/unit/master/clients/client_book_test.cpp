// The client book: its parts agree after each step, and a client that is released reads its last
// line.
#include "master/clients/client_book.h"
#include "shared/system/wall_clock.h"
#include "tests/unit/small_ledger.h"
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
    struct Coming {
        Newcomers::Arrival arrival;
        UniqueFd client; // the client's end of the connection
    };
    Coming come_from(const char* address) {
        FdPair ends = make_stream_pair();
        set_nonblocking(ends.second.get());
        return {{book_.newcomers().note(ends.first.release()), *Address::parse(address)},
            std::move(ends.second)};
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
    const Ledger ledger_{small_ledger(2)};
    ClientBook book_{ledger_, segment_.users, events_, clock_,
        {.entries = 2,
            .keep_account = false,
            .rules = {.max_per_address = 1},
            .limits = {.max_rate_bytes = 1024, .idle_timeout = std::chrono::seconds(600)},
            .lingering_tag = Watched::lingering,
            .lingering_timer = 3}};
};

TEST_F(ClientBookTest, RefusesByAddressAndWhenTheTableIsFull) {
    const Address first = *Address::parse("192.0.2.1:1");
    EXPECT_EQ(book_.refusal(first), std::nullopt);
    (void)book_.take_in(come_from("192.0.2.1:1").arrival, entry);
    EXPECT_EQ(book_.refusal(first), Refusal::address_full);
    const ClientId second = book_.take_in(come_from("192.0.2.2:1").arrival, entry);
    EXPECT_EQ(book_.refusal(*Address::parse("192.0.2.3:1")), Refusal::table_full);
    book_.release_client(second, {LeaveReason::end_of_file});
    EXPECT_EQ(book_.refusal(*Address::parse("192.0.2.2:1")), std::nullopt);
    EXPECT_EQ(counted()["accepted"], 2);
    EXPECT_EQ(counted()["left"]["end_of_file"], 1);
}

TEST_F(ClientBookTest, TellsANewcomerWhyItIsRefused) {
    const Coming newcomer = come_from("192.0.2.1:1");
    book_.turn_away(newcomer.arrival, Refusal::not_allowed);
    EXPECT_EQ(read_all(newcomer.client), "your address is not allowed here!\n");
    EXPECT_EQ(counted()["turned_away"]["not_allowed"], 1);
    EXPECT_FALSE(book_.lingering_close().empty());
    EXPECT_TRUE(book_.escrow().empty());
}

TEST_F(ClientBookTest, TellsAnIdleClientWhyItIsDisconnected) {
    const Coming newcomer = come_from("192.0.2.1:1");
    const ClientId client = book_.take_in(newcomer.arrival, entry);
    book_.release_client(client, {LeaveReason::idle});
    EXPECT_EQ(read_all(newcomer.client), "idle for too long!\n");
    EXPECT_FALSE(book_.lingering_close().empty());
    EXPECT_TRUE(book_.escrow().empty()) << "the slot is free before the connection is closed";
}

TEST_F(ClientBookTest, ClosesOtherClientsWithoutALine) {
    const Coming newcomer = come_from("192.0.2.1:1");
    const ClientId client = book_.take_in(newcomer.arrival, entry);
    book_.release_client(client, {LeaveReason::stalled});
    EXPECT_EQ(read_all(newcomer.client), "");
    EXPECT_TRUE(book_.lingering_close().empty());
}

TEST_F(ClientBookTest, AddsTheBytesOfThoseThatLeaveToTheSums) {
    const auto come_and_go = [&](LeaveReason why, bool served) {
        const ClientId client = book_.take_in(come_from("192.0.2.1:1").arrival, entry);
        if (served) {
            UserSlot& slot = segment_.users[client.slot];
            segment_.users.attach(client, 0);
            slot.bytes_read = 10;
            move_cursor(slot, {.bytes_written = 7, .log_offset = 0});
        }
        book_.release_client(client, {why});
    };
    come_and_go(LeaveReason::end_of_file, true);
    come_and_go(LeaveReason::idle, true);
    come_and_go(LeaveReason::end_of_file, false); // its slot has the numbers of the one before
    EXPECT_EQ(ledger_.counters()[departed_in_counter], 20);
    EXPECT_EQ(ledger_.counters()[departed_out_counter], 14);
}

TEST_F(ClientBookTest, NotesWhenAClientCame) {
    const uint64_t before = unix_milliseconds();
    const ClientId client = book_.take_in(come_from("192.0.2.1:1").arrival, entry);
    const uint64_t since = ledger_.clients()[index_of(client.slot)].since_ms;
    EXPECT_GE(since, before);
    EXPECT_LE(since, unix_milliseconds());
}

TEST_F(ClientBookTest, CountsAThrottledClientOnce) {
    const ClientId client = book_.take_in(come_from("192.0.2.1:1").arrival, entry);
    HeldClient& held = *book_.escrow().find_served_by(entry, client);
    book_.note_throttled(client, held);
    book_.note_throttled(client, held);
    EXPECT_EQ(counted()["throttled"], 1);
}

TEST_F(ClientBookTest, SaysOnceThatRoomWasFreed) {
    const ClientId client = book_.take_in(come_from("192.0.2.1:1").arrival, entry);
    EXPECT_FALSE(book_.take_room_freed());
    book_.release_client(client, {LeaveReason::overwritten});
    EXPECT_TRUE(book_.take_room_freed());
    EXPECT_FALSE(book_.take_room_freed());
}

} // namespace
} // namespace chatserv
