#include "master/clients/inheritance.h"

#include "master/clients/client_events.h"
#include "master/clients/counters.h"
#include "master/clients/transitions.h"
#include "master/config/network.h"
#include "shared/segment/atomic_word.h"

#include <algorithm>
#include <optional>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <utility>

namespace chatserv {

namespace {

bool is_open_socket(NotedFd fd) {
    struct stat status {};
    return ::fstat(number_of(fd), &status) == 0 && S_ISSOCK(status.st_mode);
}

// A connection ends by close, then un-note.
template <typename Record>
void forget_closed(std::span<Record> records) {
    for (Record& record : records)
        if (number_of(record.socket) != -1 && !is_open_socket(record.socket))
            store_release(record.socket.word, 0);
}

// No master leaves a client whose connection is closed. If there is one all the same, it has
// left, and the others stay.
void release_closed(const Ledger& ledger, UserTable users) {
    const Transitions transitions(ledger, users);
    const Departure lost{LeaveReason::overwritten};
    for (uint32_t slot = 0; slot < ledger.clients().size(); ++slot) {
        const ClientRecord& client = ledger.clients()[slot];
        if (number_of(client.socket) == -1 || is_open_socket(client.socket))
            continue;
        const Count count = Counters(ledger).one_more(lost);
        transitions.make({.kind = static_cast<uint32_t>(RedoKind::release),
            .socket = {}, // nothing is closed: the number may be another file's after all
            .slot = slot,
            .generation = client.generation,
            .counter = count.counter,
            .newcomer = place_none,
            .counter_value = count.value,
            .lingering_place = place_none});
        events::left({.slot = SlotId{slot}, .generation = client.generation}, lost, {});
    }
}

// Only masters free slots, so a slot of the segment that is in use here and free in the ledger is
// one that a faulty worker wrote to.
void free_unheld_slots(const Ledger& ledger, UserTable users) {
    uint32_t slot = 0;
    for (; slot < ledger.clients().size(); ++slot) {
        const ClientRecord& client = ledger.clients()[slot];
        if (client.generation == 0) // no slot from here on was ever used
            break;
        const bool held = number_of(client.socket) != -1;
        if (!held && status_of(users[SlotId{slot}]).state != SlotState::free)
            users.release({.slot = SlotId{slot}, .generation = client.generation});
    }
    users.count_in(slot);
}

void add_noted(NotedFd fd, std::vector<int>& numbers) {
    if (number_of(fd) != -1)
        numbers.push_back(number_of(fd));
}

// The numbers that the ledger notes, in ascending order.
std::vector<int> noted_numbers(const Ledger& ledger) {
    std::vector<int> numbers;
    for (const ClientRecord& client : ledger.clients())
        add_noted(client.socket, numbers);
    for (const NewcomerRecord& newcomer : ledger.newcomers())
        add_noted(newcomer.socket, numbers);
    for (const LingeringRecord& lingering : ledger.lingering())
        add_noted(lingering.socket, numbers);
    for (const HoldingRecord& holding : ledger.holdings())
        add_noted(holding.fd, numbers);
    for (const std::span<SeatRecord> seats :
        {ledger.seats(), ledger.metrics(), ledger.bridge(), ledger.sources()})
        for (const SeatRecord& seat : seats)
            add_noted(seat.rendezvous, numbers);
    std::ranges::sort(numbers);
    return numbers;
}

int option_of(int socket, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// How well the local address of a connection fits a listener: the more, the likelier it came there.
int fit(const Address& local, const Address& listening) {
    if (local.is_unix() || listening.is_unix())
        return local.is_unix() && listening.is_unix() && local.path() == listening.path() ? 3 : 0;
    if (local.port() != listening.port())
        return 0;
    if (local.family() == listening.family() && ip_of(local) == ip_of(listening))
        return 3;
    return listening.is_any() && local.family() == listening.family() ? 2 : 1;
}

// Where this socket came to, if it is a connection that came to one of these addresses; otherwise
// null. Its peer may have reset it meanwhile.
const ListenedAt* where_it_came_to(int socket, std::span<const ListenedAt> listening) {
    if (option_of(socket, SO_TYPE) != SOCK_STREAM || option_of(socket, SO_ACCEPTCONN) != 0)
        return nullptr;
    Address local;
    socklen_t size = Address::capacity();
    if (::getsockname(socket, local.data(), &size) == -1 ||
        (!local.is_unix() && local.family() != AF_INET && local.family() != AF_INET6))
        return nullptr;
    local = local.unmapped();
    const auto best = std::ranges::max_element(
        listening, {}, [&](const ListenedAt& place) { return fit(local, place.address); });
    return best != listening.end() && fit(local, best->address) > 0 ? &*best : nullptr;
}

// The files of sockets that were seen. A system that does not tell sockets apart by their inodes
// gives them none: there, a duplicate is not known as one.
class Seen {
public:
    // False where it was seen before.
    bool add(const OpenDescriptor& socket) {
        return socket.inode == 0 || files_.emplace(socket.device, socket.inode).second;
    }

private:
    std::set<std::pair<dev_t, ino_t>> files_;
};

} // namespace

void put_books_in_order(const Ledger& ledger, UserTable users) {
    const Transitions transitions(ledger, users);
    if (transitions.any_under_way())
        transitions.finish();
    forget_closed(ledger.newcomers());
    forget_closed(ledger.lingering());
    release_closed(ledger, users);
    free_unheld_slots(ledger, users);
}

// Most often nothing is left but descriptors that are no newcomers. So what is noted is looked at
// only where there is one.
LeftBehind find_left_behind(std::span<const OpenDescriptor> open, const Ledger& ledger,
    std::span<const int> kept, std::span<const ListenedAt> listening) {
    const std::vector<int> noted = noted_numbers(ledger);
    const auto is_noted = [&](const OpenDescriptor& descriptor) {
        return std::ranges::binary_search(noted, descriptor.fd);
    };
    LeftBehind left;
    std::optional<Seen> seen;
    for (const OpenDescriptor& descriptor : open) {
        if (is_noted(descriptor) || std::ranges::find(kept, descriptor.fd) != kept.end())
            continue;
        const ListenedAt* const place =
            descriptor.is_socket ? where_it_came_to(descriptor.fd, listening) : nullptr;
        if (place != nullptr && !seen) {
            seen.emplace();
            for (const OpenDescriptor& other : open)
                if (other.is_socket && is_noted(other))
                    (void)seen->add(other);
        }
        if (place != nullptr && seen->add(descriptor))
            left.newcomers.push_back(
                {.socket = descriptor.fd, .role = place->role, .proxied = place->proxied});
        else
            left.strangers.push_back(descriptor.fd);
    }
    return left;
}

} // namespace chatserv
