// A master that can die at any master point, and its successors, in one process.
//
// Its death is an exception: it leaves ledger, segment and descriptors as they are at that instant,
// and no destructor of the master's runs. What a dead process would take along is closed: its
// kqueue. Then the next master finds its way through what was left, and can die as well.
#pragma once

#include "master/clients/acceptor.h"
#include "master/clients/client_book.h"
#include "master/ledger/master_point.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {

// Thrown by master_point().
struct Death {};

// Every point at which a master of this program has died.
[[nodiscard]] const std::array<bool, static_cast<size_t>(MasterPoint::count)>& deaths_died();

class MortalMaster {
public:
    static constexpr uint32_t entries = 2;

    // Whose descriptors this process has beside the masters': its own clients' as well, so that
    // what nobody notes stays open; or no one's, so that the masters close it. The first master
    // begins at once in the one case, with succeed() in the other.
    enum class Table { shared_with_clients, of_masters_alone };
    MortalMaster(
        uint32_t slots, uint32_t max_per_address, Table table = Table::shared_with_clients);
    ~MortalMaster();
    MortalMaster(const MortalMaster&) = delete;
    MortalMaster& operator=(const MortalMaster&) = delete;

    // Does `work` and dies when it has passed so many points; 0: lives. Returns whether it died.
    // Dead is dead: succeed() comes next.
    bool live(uint64_t points, const std::function<void()>& work);
    // The next master: brings the ledger into order and judges the newcomers. It may die in that,
    // as live() says.
    bool succeed(uint64_t points = 0);

    // A new connection, which waits in the listen queue.
    [[nodiscard]] UniqueFd connect() const;
    // Accepts and judges one connection that waits.
    void accept();
    // The same of one that came to a `proxy:` address. It may have to wait for its header.
    void accept_from_proxy();
    // What came of the headers that are waited for.
    void hear_proxies();
    [[nodiscard]] bool any_waits() const;
    // A worker serves every client that is assigned.
    void attach_all();
    // Connections on their last line of which something is heard.
    void hear_lingering();

    [[nodiscard]] ClientBook& book() { return life_->book; }
    [[nodiscard]] EventQueue& events() { return life_->events; }
    [[nodiscard]] const Ledger& ledger() const { return ledger_; }
    [[nodiscard]] const SmallSegment& segment() const { return segment_; }
    [[nodiscard]] const Listener& listener() const { return listener_; }
    // Its connections are proxied from now on.
    void expect_proxies() { listener_.note_serves("", Role::talk, true); }
    [[nodiscard]] std::vector<ClientId> members() const;
    // The slot of the client whose own end of the connection this is, or has this address.
    [[nodiscard]] std::optional<ClientId> client_of(const UniqueFd& socket) const {
        return client_of(Address::of_socket(socket.get()));
    }
    [[nodiscard]] std::optional<ClientId> client_of(const Address& address) const;
    // The sum of all counters of departures, and of refusals.
    [[nodiscard]] uint64_t left() const;
    [[nodiscard]] uint64_t turned_away() const;
    [[nodiscard]] uint64_t counted(const char* name) const;

    // Ledger, segment, the master's books and the open descriptors agree. Throws otherwise, and
    // says what does not.
    void check() const;

private:
    struct Life {
        Life(const MortalMaster& world, uint32_t max_per_address);

        EventQueue events;
        ServedRecord record{};
        ServedClock clock{record, std::chrono::milliseconds(100)};
        ClientBook book;
        std::vector<Listener> no_listeners; // they are the world's
        Acceptor acceptor;
    };

    void bury();
    void inherit();

    uint32_t max_per_address_;
    Table table_;
    SmallSegment segment_;
    Ledger ledger_;
    Listener listener_{*Address::parse("127.0.0.1:0")};
    std::vector<int> open_before_;
    Life* life_ = nullptr;
};

// The numbers of this process's descriptors.
[[nodiscard]] std::vector<int> open_numbers();
// How many there are. A kqueue that was closed gives back what it had in it when the next one is
// made, so one is made.
[[nodiscard]] size_t count_open();

// How often the log was told of each event about clients since the program began.
[[nodiscard]] std::map<std::string, uint64_t>& told();

} // namespace chatserv::test
