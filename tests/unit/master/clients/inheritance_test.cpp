// What a successor makes of the ledger and of the descriptors that a dead master left.
#include "master/clients/escrow.h"
#include "master/clients/inheritance.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Address peer = *Address::parse("192.0.2.1:1234");

std::vector<int> sockets_of(const std::vector<Newcomer>& newcomers) {
    std::vector<int> sockets;
    for (const Newcomer& newcomer : newcomers)
        sockets.push_back(newcomer.socket);
    return sockets;
}

class InheritanceTest : public testing::Test {
protected:
    // Accepts a connection; its peer's end stays with the test.
    UniqueFd accept() {
        const Address& address = listener_.address();
        ends_.emplace_back(::socket(address.family(), SOCK_STREAM, 0));
        EXPECT_EQ(::connect(ends_.back().get(), address.data(), address.size()), 0);
        pollfd waiting{.fd = listener_.fd(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&waiting, 1, -1), 1);
        return UniqueFd(listener_.accept());
    }
    // As if no other descriptors than these were open.
    [[nodiscard]] LeftBehind find(const std::vector<int>& fds) const {
        std::vector<OpenDescriptor> open;
        for (const int fd : fds)
            std::ranges::copy(open_descriptors(fd, fd + 1), std::back_inserter(open));
        return find_left_behind(
            open, ledger_, std::array{STDERR_FILENO}, std::array{ListenedAt{listener_.address()}});
    }

    const SmallSegment segment_;
    const Ledger ledger_{small_ledger()};
    const Listener listener_{*Address::parse("127.0.0.1:0")};
    std::vector<UniqueFd> ends_;
};

TEST_F(InheritanceTest, ANewcomerHasTheRoleOfTheListenerThatFitsBest) {
    const UniqueFd newcomer = accept();
    const uint16_t port = listener_.address().port();
    const auto role_among = [&](const std::vector<ListenedAt>& listening) {
        const std::vector<OpenDescriptor> open =
            open_descriptors(newcomer.get(), newcomer.get() + 1);
        return find_left_behind(open, ledger_, {}, listening).newcomers.at(0).role;
    };
    const ListenedAt exact{listener_.address(), Role::listen};
    const ListenedAt any{Address::any(AF_INET, port), Role::speak};
    const ListenedAt both{Address::any(AF_INET6, port), Role::talk};
    EXPECT_EQ(role_among({both, any, exact}), Role::listen);
    EXPECT_EQ(role_among({both, any}), Role::speak);
    EXPECT_EQ(role_among({both}), Role::talk);
}

TEST_F(InheritanceTest, ANotedNewcomerKeepsItsRole) {
    const UniqueFd newcomer = accept();
    Newcomers noting(ledger_, true);
    noting.note(newcomer.get(), Role::speak);
    EXPECT_EQ(noting.all().at(0).role, Role::speak);
    noting.drop_all();
}

TEST_F(InheritanceTest, FindsANewcomerThatWasNotNoted) {
    const UniqueFd newcomer = accept();
    const UniqueFd another = accept();
    ends_.clear(); // its peer has gone meanwhile
    const LeftBehind left = find({newcomer.get(), another.get(), STDERR_FILENO});
    EXPECT_THAT(sockets_of(left.newcomers), ElementsAre(newcomer.get(), another.get()));
    EXPECT_THAT(left.strangers, IsEmpty());
}

TEST_F(InheritanceTest, TakesNothingNotedForANewcomer) {
    const UniqueFd client = accept();
    const UniqueFd newcomer = accept();
    const UniqueFd lingering = accept();
    const UniqueFd listening(::dup(listener_.fd()));
    ledger_.clients()[3].socket = noted(client.get());
    ledger_.newcomers()[1].socket = noted(newcomer.get());
    ledger_.lingering()[64].socket = noted(lingering.get());
    ledger_.holdings()[5].fd = noted(listening.get());
    ledger_.seats()[2].rendezvous = noted(ends_[0].get());
    ledger_.seats()[0].rendezvous = noted(ends_[1].get());
    const LeftBehind left = find({client.get(), newcomer.get(), lingering.get(), listening.get(),
        ends_[0].get(), ends_[1].get()});
    EXPECT_THAT(left.newcomers, IsEmpty());
    EXPECT_THAT(left.strangers, IsEmpty());
}

TEST_F(InheritanceTest, TakesADuplicateForAStranger) {
    const UniqueFd client = accept();
    const UniqueFd newcomer = accept();
    ledger_.clients()[0].socket = noted(client.get());
    const UniqueFd of_client(::dup(client.get()));
    const UniqueFd of_newcomer(::dup(newcomer.get()));
    const LeftBehind left =
        find({client.get(), newcomer.get(), of_client.get(), of_newcomer.get()});
    EXPECT_THAT(sockets_of(left.newcomers), ElementsAre(newcomer.get()));
    EXPECT_THAT(left.strangers, UnorderedElementsAre(of_client.get(), of_newcomer.get()));
}

TEST_F(InheritanceTest, TakesOtherSocketsAndFilesForStrangers) {
    const UniqueFd accepted = accept();
    const FdPair pair = make_stream_pair();
    const FdPair pipe = make_pipe();
    const UniqueFd listening(::dup(listener_.fd()));
    const std::vector<int> open{
        ends_.front().get(), pair.first.get(), pipe.first.get(), listening.get()};
    const LeftBehind left = find(open);
    EXPECT_THAT(left.newcomers, IsEmpty());
    EXPECT_EQ(left.strangers, open);
}

TEST_F(InheritanceTest, UnNotesConnectionsThatWereClosed) {
    const UniqueFd open = accept();
    const int closed = accept().get(); // for an instant
    ledger_.newcomers()[0].socket = noted(closed);
    ledger_.newcomers()[1].socket = noted(open.get());
    ledger_.lingering()[0].socket = noted(closed);
    ledger_.lingering()[1].socket = noted(open.get());
    put_books_in_order(ledger_, segment_.users);
    EXPECT_EQ(number_of(ledger_.newcomers()[0].socket), -1);
    EXPECT_EQ(number_of(ledger_.newcomers()[1].socket), open.get());
    EXPECT_EQ(number_of(ledger_.lingering()[0].socket), -1);
    EXPECT_EQ(number_of(ledger_.lingering()[1].socket), open.get());
}

TEST_F(InheritanceTest, KeepsTheOthersWhereAClientsConnectionIsClosed) {
    {
        Escrow escrow(ledger_, segment_.users, 2, false);
        UniqueFd closed = accept();
        (void)escrow.admit({.socket = closed.get()}, peer, entry_0);
        (void)escrow.admit(newcomer(accept()), peer, entry_1);
        closed.reset();
        put_books_in_order(ledger_, segment_.users);
        EXPECT_EQ(number_of(ledger_.clients()[0].socket), -1);
        EXPECT_NE(number_of(ledger_.clients()[1].socket), -1);
    }
    EXPECT_EQ(status_of(segment_.users[slot_0]).state, SlotState::free);
    EXPECT_EQ(status_of(segment_.users[slot_1]).state, SlotState::assigned);
    const Count lost = Counters(ledger_).one_more(Departure{LeaveReason::overwritten});
    EXPECT_EQ(lost.value, 2U) << "it has left, and the next one would be the second";
}

TEST_F(InheritanceTest, FreesSlotsOfTheSegmentThatHoldNoClient) {
    {
        Escrow escrow(ledger_, segment_.users, 2, false);
        escrow.release(escrow.admit(newcomer(accept()), peer, entry_0));
    }
    segment_.users.assign(client_id(0, 9), entry_1); // as a faulty worker can
    put_books_in_order(ledger_, segment_.users);
    EXPECT_EQ(status_of(segment_.users[slot_0]).state, SlotState::free);
    EXPECT_EQ(status_of(segment_.users[slot_0]).generation, 1U);
}

TEST_F(InheritanceTest, LeavesANewLedgerAsItIs) {
    put_books_in_order(ledger_, segment_.users);
    const Escrow escrow(ledger_, segment_.users, 2, false);
    EXPECT_TRUE(escrow.empty());
    EXPECT_EQ(escrow.slots_ever_used(), 0U);
}

// What the next master's escrow makes of the records alone.
TEST_F(InheritanceTest, AnEscrowGoesOnWhereTheDeadMastersEnded) {
    // Its memory stays reachable, so that no checker takes it for a leak.
    static const auto dead = new Escrow(ledger_, segment_.users, 2, false);
    const ClientId first = dead->admit(newcomer(accept()), peer, entry_0);
    const ClientId second = dead->admit(newcomer(accept()), peer, entry_1);
    const ClientId third = dead->admit(newcomer(accept()), peer, entry_1);
    EXPECT_TRUE(dead->find(third)->mark_joined());
    dead->release(second);
    put_books_in_order(ledger_, segment_.users);
    Escrow escrow(ledger_, segment_.users, 2, false);
    EXPECT_EQ(escrow.held(), 2U);
    EXPECT_EQ(escrow.slots_ever_used(), 3U);
    EXPECT_EQ(escrow.clients_of(entry_0), 1U);
    EXPECT_THAT(escrow.all_of(entry_1), ElementsAre(third));
    EXPECT_EQ(escrow.find(first)->peer().text(), peer.text());
    EXPECT_TRUE(escrow.find(first)->mark_joined());
    EXPECT_FALSE(escrow.find(third)->mark_joined()) << "the log has told that";
    EXPECT_EQ(escrow.find(second), nullptr);
    EXPECT_EQ(escrow.admit(newcomer(accept()), peer, entry_0), client_id(1, 2));
}

} // namespace
} // namespace chatserv
