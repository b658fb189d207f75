// A server whose masters die all the time, at random points of random transitions, against what its
// clients see and what its counters must say.
#include "tests/harness/seed.h"
#include "tests/unit/deaths/mortal_master.h"

#include <algorithm>
#include <cerrno>
#include <gtest/gtest.h>
#include <list>
#include <poll.h>
#include <random>
#include <set>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

constexpr uint32_t slots = 6;
constexpr uint32_t max_per_address = 4;
constexpr Departure end_of_file{LeaveReason::end_of_file};
constexpr Departure idle{LeaveReason::idle};

// A client as it sees itself.
struct Peer {
    UniqueFd socket{};
    std::string heard{};
    bool ended = false; // it has read the end of file
};

class RandomDeaths {
public:
    explicit RandomDeaths(uint64_t seed) : random_(seed) {}

    void step() {
        switch (pick(8)) {
        case 0:
        case 1:
            come();
            break;
        case 2:
            dare([this] { release(end_of_file); });
            break;
        case 3:
            dare([this] { release(idle); });
            break;
        case 4:
            dare([this] { move(); });
            break;
        case 5:
            dare([this] { throttle(); });
            break;
        case 6:
            dare([this] { hear_lingering(); });
            break;
        default:
            forget_ended();
        }
        listen();
        check();
    }

    // Everybody leaves. Then nothing is left of anything.
    void end() {
        while (!members().empty())
            dare([this] { release(end_of_file); });
        while (!peers_.empty()) {
            listen();
            forget_ended();
        }
        while (!master_.book().lingering_close().empty())
            hear_lingering();
        check();
        EXPECT_EQ(master_.counted("accepted"), admitted_.size());
        EXPECT_EQ(master_.left(), admitted_.size());
    }

    [[nodiscard]] uint64_t deaths() const { return deaths_; }
    [[nodiscard]] uint64_t transitions() const {
        return 2 * admitted_.size() + master_.turned_away();
    }

private:
    uint64_t pick(uint64_t choices) { return random_() % choices; }

    // The master does something, and may die in it, as may its successors.
    void dare(const std::function<void()>& work) {
        if (!master_.live(1 + pick(25), work))
            return;
        ++deaths_;
        while (master_.succeed(1 + pick(60)))
            ++deaths_;
    }

    // Somebody connects; one in eight is gone before it is accepted.
    void come() {
        Peer peer{.socket = master_.connect()};
        const Address address = Address::of_socket(peer.socket.get());
        const bool gone = pick(8) == 0;
        if (gone)
            reset(peer.socket);
        if (gone && !master_.any_waits()) // a system that forgets such a connection
            return;
        const uint32_t held = master_.book().escrow().held();
        const uint32_t lowest = lowest_free_slot();
        const uint64_t refused = master_.turned_away();
        const bool room = held < max_per_address;
        dare([this] { master_.accept(); });
        const auto client = master_.client_of(address);
        if (!gone) {
            EXPECT_EQ(client.has_value(), room) << "of " << held;
            EXPECT_EQ(master_.turned_away(), refused + (room ? 0 : 1));
            peers_.push_back(std::move(peer));
        }
        if (client) {
            EXPECT_EQ(index_of(client->slot), lowest);
            EXPECT_TRUE(admitted_.emplace(index_of(client->slot), client->generation).second);
        }
        master_.attach_all();
        if (gone && client)
            master_.book().release_client(*client, {LeaveReason::read_error, ECONNRESET});
    }

    static void reset(UniqueFd& socket) {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        socket.reset();
    }

    [[nodiscard]] uint32_t lowest_free_slot() const {
        const auto clients = master_.ledger().clients();
        return static_cast<uint32_t>(std::ranges::find_if(clients, [](const ClientRecord& client) {
            return number_of(client.socket) == -1;
        }) - clients.begin());
    }

    [[nodiscard]] std::vector<ClientId> members() const { return master_.members(); }
    [[nodiscard]] std::optional<ClientId> any_member() {
        const std::vector<ClientId> all = members();
        return all.empty() ? std::nullopt : std::optional(all[pick(all.size())]);
    }

    void release(const Departure& why) {
        if (const auto client = any_member())
            master_.book().release_client(*client, why);
    }

    // Its worker lets it go, if it has not yet, and the other entry gets it.
    void move() {
        const auto client = any_member();
        if (!client)
            return;
        const UserTable& users = master_.segment().users;
        if (status_of(users[client->slot]).state == SlotState::attached)
            users.hand_over(*client, 0);
        const EntryId from = master_.book().escrow().find(*client)->entry();
        const EntryId to = from == entry_0 ? entry_1 : entry_0;
        EXPECT_TRUE(master_.book().escrow().reassign(*client, to));
    }

    void throttle() {
        const auto client = any_member();
        if (!client)
            return;
        HeldClient& held = *master_.book().escrow().find(*client);
        master_.book().note_attached(*client, held);
        master_.book().note_throttled(*client, held);
    }

    void hear_lingering() {
        master_.hear_lingering();
        if (pick(8) == 0)
            master_.book().lingering_close().close_oldest();
    }

    // What the peers have got by now.
    void listen() {
        for (Peer& peer : peers_) {
            char piece[64];
            ssize_t got = 0;
            while (!peer.ended &&
                   (got = ::recv(peer.socket.get(), piece, sizeof piece, MSG_DONTWAIT)) > 0)
                peer.heard.append(piece, static_cast<size_t>(got));
            peer.ended = peer.ended || got == 0 || (got == -1 && errno == ECONNRESET);
        }
    }

    void forget_ended() {
        std::erase_if(peers_, [this](const Peer& peer) {
            if (peer.ended) {
                EXPECT_TRUE(peer.heard.empty() || peer.heard == "idle for too long!\n" ||
                            peer.heard == "too many connections from your address!\n")
                    << peer.heard;
                EXPECT_FALSE(master_.client_of(peer.socket));
            }
            return peer.ended;
        });
    }

    void check() {
        master_.check();
        uint64_t present = 0;
        for (const Peer& peer : peers_) {
            const bool held = master_.client_of(peer.socket).has_value();
            present += held ? 1 : 0;
            EXPECT_FALSE(held && peer.ended) << "a member's connection was closed";
        }
        EXPECT_EQ(present, members().size()) << "a member is nobody's";
        const auto throttled = std::ranges::count_if(master_.ledger().clients(),
            [](const ClientRecord& client) { return client.throttled != 0; });
        EXPECT_GE(master_.counted("throttled"), static_cast<uint64_t>(throttled));
        EXPECT_LE(told()["left"] - told_before_["left"], master_.left());
        EXPECT_LE(told()["turned_away"] - told_before_["turned_away"], master_.turned_away());
        EXPECT_LE(told()["joined"] - told_before_["joined"], admitted_.size());
        EXPECT_LE(told()["throttled"] - told_before_["throttled"], master_.counted("throttled"));
    }

    std::mt19937_64 random_;
    MortalMaster master_{slots, max_per_address};
    std::map<std::string, uint64_t> told_before_{told()};
    std::list<Peer> peers_;
    std::set<std::pair<uint32_t, uint32_t>> admitted_; // every client there ever was
    uint64_t deaths_ = 0;
};

TEST(RandomDeaths, CostNobodyAnything) {
    const uint64_t steps = number_from_environment("CHATSERV_TEST_DEATH_STEPS", 6000);
    const size_t open = count_open();
    {
        RandomDeaths deaths(base_seed());
        for (uint64_t step = 0; step < steps; ++step) {
            SCOPED_TRACE("step " + std::to_string(step));
            deaths.step();
            ASSERT_FALSE(HasFailure());
        }
        deaths.end();
        EXPECT_GT(deaths.deaths(), steps / 8);
        EXPECT_GT(deaths.transitions(), steps / 8);
        RecordProperty("deaths", static_cast<int>(deaths.deaths()));
        RecordProperty("transitions", static_cast<int>(deaths.transitions()));
    }
    EXPECT_EQ(count_open(), open);
}

} // namespace
} // namespace chatserv::test
