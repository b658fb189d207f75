// The escrow: the lowest free slot, at every size, and books that balance.
#include "master/clients/escrow.h"
#include "master/clients/listener.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <poll.h>
#include <random>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

const Address peer = *Address::parse("192.0.2.1:1234");

// TCP, as clients use it: what a UNIX socket pair does after shutdown(2) differs between systems.
FdPair make_tcp_pair() {
    const Listener listener(*Address::parse("127.0.0.1:0"));
    const Address& address = listener.address();
    UniqueFd client(::socket(address.family(), SOCK_STREAM, 0));
    EXPECT_EQ(::connect(client.get(), address.data(), address.size()), 0);
    pollfd waited{.fd = listener.fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waited, 1, -1), 1);
    UniqueFd accepted(listener.accept());
    EXPECT_TRUE(accepted);
    return {std::move(accepted), std::move(client)};
}

TEST(Escrow, AdmitsIntoTheLowestFreeSlot) {
    const SmallSegment segment(5);
    const Ledger ledger = small_ledger(5);
    Escrow escrow(ledger, segment.users, 2, true);
    std::vector<ClientId> clients;
    for (uint32_t slot = 0; slot < 5; ++slot) {
        EXPECT_FALSE(escrow.full());
        clients.push_back(escrow.admit(newcomer(make_pipe().first), peer, EntryId{slot % 2}));
        EXPECT_EQ(clients.back().slot, SlotId{slot});
        EXPECT_EQ(status_of(segment.users[SlotId{slot}]).state, SlotState::assigned);
    }
    EXPECT_TRUE(escrow.full());
    escrow.release(clients[3]);
    escrow.release(clients[1]);
    EXPECT_EQ(escrow.admit(newcomer(make_pipe().first), peer, entry_0).slot, SlotId{1});
    EXPECT_EQ(escrow.admit(newcomer(make_pipe().first), peer, entry_0).slot, SlotId{3});
    EXPECT_TRUE(escrow.full());
    EXPECT_EQ(segment.users[slot_1].port, 1234);
    EXPECT_EQ(segment.users[slot_1].ip_version, 4);
}

TEST(Escrow, IsFullForNewcomersWhenFewerAreAllowed) {
    const SmallSegment segment(3);
    const Ledger ledger = small_ledger(3);
    Escrow escrow(ledger, segment.users, 1, true);
    EXPECT_EQ(escrow.users_max(), 3U);
    std::vector<ClientId> clients;
    for (int i = 0; i < 3; ++i)
        clients.push_back(escrow.admit(newcomer(make_pipe().first), peer, entry_0));
    escrow.limit_users(1);
    EXPECT_EQ(escrow.held(), 3U) << "nobody has to leave";
    escrow.release(clients[0]);
    escrow.release(clients[1]);
    EXPECT_TRUE(escrow.full());
    escrow.release(clients[2]);
    EXPECT_FALSE(escrow.full());
    escrow.limit_users(100);
    EXPECT_EQ(escrow.users_max(), 3U) << "there are no more slots";
}

TEST(Escrow, FreesTheSlotOfAClientThatItDismisses) {
    const SmallSegment segment(2);
    const Ledger ledger = small_ledger(2);
    Escrow escrow(ledger, segment.users, 1, true);
    FdPair ends = make_stream_pair();
    const UniqueFd socket(::dup(ends.first.get()));
    const ClientId client = escrow.admit(newcomer(std::move(ends.first)), peer, entry_0);
    const LingeringPlace lingering{.place = 7, .record = {.socket = noted(socket.get())}};
    escrow.dismiss(client, lingering);
    EXPECT_EQ(status_of(segment.users[slot_0]).state, SlotState::free);
    EXPECT_TRUE(escrow.empty());
    EXPECT_EQ(escrow.find(client), nullptr);
    EXPECT_EQ(number_of(ledger.lingering()[7].socket), socket.get());
    EXPECT_EQ(::write(socket.get(), "x", 1), 1) << "it is as open as before";
    EXPECT_EQ(escrow.admit(newcomer(make_pipe().first), peer, entry_0).slot, SlotId{0});
}

TEST(Escrow, AgreesWithAModelThroughRandomOperations) {
    constexpr uint32_t users = 1000;
    const SmallSegment segment(users);
    const Ledger ledger = small_ledger(users);
    Escrow escrow(ledger, segment.users, 2, true);
    std::set<SlotId> free;
    for (uint32_t slot = 0; slot < users; ++slot)
        free.insert(SlotId{slot});
    std::vector<ClientId> present;
    std::mt19937 random(20260101);
    for (int step = 0; step < 20'000; ++step) {
        const bool join = present.empty() || (!free.empty() && random() % 100 < 55);
        if (join) {
            const ClientId client = escrow.admit(
                newcomer(UniqueFd(::dup(0))), peer, EntryId{static_cast<uint32_t>(random() % 2)});
            ASSERT_EQ(client.slot, *free.begin());
            free.erase(free.begin());
            present.push_back(client);
        } else {
            std::swap(present[random() % present.size()], present.back());
            escrow.release(present.back());
            free.insert(present.back().slot);
            present.pop_back();
        }
        ASSERT_EQ(escrow.held(), present.size());
        ASSERT_EQ(escrow.clients_of(entry_0) + escrow.clients_of(entry_1), present.size());
    }
    EXPECT_EQ(escrow.all_of(entry_0).size(), escrow.clients_of(entry_0));
}

TEST(Escrow, GivesAClientThatWasLetGoToAnotherEntry) {
    const SmallSegment segment;
    const Ledger ledger = small_ledger();
    Escrow escrow(ledger, segment.users, 2, true);
    const ClientId client = escrow.admit(newcomer(make_pipe().first), peer, entry_0);
    EXPECT_FALSE(escrow.reassign(client, entry_1));
    EXPECT_EQ(escrow.clients_of(entry_0), 1U);
    segment.users.attach(client, 0);
    segment.users.hand_over(client, 0);
    ASSERT_TRUE(escrow.reassign(client, entry_1));
    EXPECT_EQ(escrow.find(client)->entry(), entry_1);
    EXPECT_EQ(escrow.clients_of(entry_0), 0U);
    EXPECT_EQ(escrow.clients_of(entry_1), 1U);
    EXPECT_EQ(escrow.all_of(entry_1), std::vector(1, client));
    EXPECT_EQ(escrow.find_served_by(entry_0, client), nullptr) << "late word of its former worker";
    escrow.release(client);
    EXPECT_EQ(escrow.clients_of(entry_1), 0U);
}

TEST(Escrow, RecognizesAClientByItsGeneration) {
    const SmallSegment segment;
    const Ledger ledger = small_ledger();
    Escrow escrow(ledger, segment.users, 2, true);
    const ClientId first = escrow.admit(newcomer(make_pipe().first), peer, entry_0);
    ASSERT_NE(escrow.find(first), nullptr);
    escrow.release(first);
    EXPECT_EQ(escrow.find(first), nullptr);
    const ClientId second = escrow.admit(newcomer(make_pipe().first), peer, entry_1);
    EXPECT_EQ(second.slot, first.slot);
    EXPECT_EQ(escrow.find(first), nullptr) << "late word of the one before";
    EXPECT_NE(escrow.find(second), nullptr);
    EXPECT_EQ(escrow.find(client_id(99)), nullptr);
}

TEST(Escrow, ShutsDownBothDirectionsThoughAWorkerHasACopy) {
    const SmallSegment segment;
    const Ledger ledger = small_ledger();
    Escrow escrow(ledger, segment.users, 2, true);
    FdPair ends = make_tcp_pair();
    const UniqueFd worker_copy(::dup(ends.first.get()));
    const ClientId client = escrow.admit(newcomer(std::move(ends.first)), peer, entry_0);
    escrow.release(client);
    char byte = 0;
    EXPECT_EQ(::read(ends.second.get(), &byte, 1), 0);
    EXPECT_EQ(::write(worker_copy.get(), "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_EQ(::read(worker_copy.get(), &byte, 1), 0);
    // From now on the client's bytes reach no process, whether or not its kernel reports that.
    (void)!::write(ends.second.get(), "x", 1);
    EXPECT_LE(::read(worker_copy.get(), &byte, 1), 0);
}

} // namespace
} // namespace chatserv
