#include "tests/unit/deaths/mortal_master.h"

#include "master/clients/client_events.h"
#include "master/clients/inheritance.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

namespace {

enum class Watched : uint8_t { listener = 1, lingering = 2, proxied = 3 };
constexpr uintptr_t lingering_timer = 3;
constexpr int descriptors_end = 2048; // more than any test here has

uint64_t points_left = 0; // until the master dies; 0: it does not
std::array<bool, static_cast<size_t>(MasterPoint::count)> died_at{};

} // namespace

void master_point(MasterPoint point) {
    if (points_left == 0 || --points_left > 0)
        return;
    died_at[static_cast<size_t>(point)] = true;
    throw test::Death{};
}

// In place of the log: client_events.cpp is not linked.
namespace events {

void no_address(const Address& /*address*/, const char* /*family*/) {}
void two_sockets(const std::string& /*listen*/) {}
void ports_differ(const std::string& /*listen*/) {}
void listening(const Listener& /*listener*/) {}
void listens_no_more(const Listener& /*listener*/) {}
void unix_account(bool) {}
void how_to_join(const std::string& /*command*/) {}
void accept_paused(int /*error*/) {}
void accept_resumed(std::chrono::duration<double> /*paused*/) {}
void turned_away(const Address& /*peer*/, Refusal /*why*/, uint64_t /*untold*/) {
    ++test::told()["turned_away"];
}
void joined(ClientId /*client*/, const Address& /*peer*/, Role /*role*/, EntryId /*entry*/) {
    ++test::told()["joined"];
}
void throttled(ClientId /*client*/, uint32_t /*max_rate_bytes*/) {
    ++test::told()["throttled"];
}
void left(ClientId /*client*/, const Departure& /*why*/, std::chrono::milliseconds /*idle*/) {
    ++test::told()["left"];
}

} // namespace events

namespace test {

std::map<std::string, uint64_t>& told() {
    static std::map<std::string, uint64_t> told;
    return told;
}

const std::array<bool, static_cast<size_t>(MasterPoint::count)>& deaths_died() {
    return died_at;
}

std::vector<int> open_numbers() {
    std::vector<int> numbers;
    for (const OpenDescriptor& descriptor : open_descriptors(0, descriptors_end))
        numbers.push_back(descriptor.fd);
    return numbers;
}

size_t count_open() {
    const EventQueue last;
    return open_numbers().size();
}

MortalMaster::Life::Life(const MortalMaster& world, uint32_t max_per_address) :
    clock(record, std::chrono::milliseconds(100)),
    book(world.ledger_, world.segment_.users, events, clock,
        {.entries = entries,
            .keep_account = true,
            .rules = {.max_per_address = max_per_address},
            .limits = {.max_rate_bytes = 1024, .idle_timeout = std::chrono::seconds(600)},
            .lingering_tag = Watched::lingering,
            .lingering_timer = lingering_timer}),
    acceptor(events, clock, no_listeners, Watched::listener, Watched::proxied, 60,
        ProxyTerms{
            .trust = {*Network::parse("127.0.0.0/8")}, .time_limit = std::chrono::hours(1)}) {}

MortalMaster::MortalMaster(uint32_t slots, uint32_t max_per_address, Table table) :
    max_per_address_(max_per_address), table_(table), segment_(slots), ledger_(small_ledger(slots)),
    open_before_(open_numbers()) {
    if (table == Table::shared_with_clients)
        succeed();
}

MortalMaster::~MortalMaster() {
    delete life_;
}

// The memory of a dead master stays reachable, so that no checker takes it for a leak.
void MortalMaster::bury() {
    static auto& graveyard = *new std::vector<Life*>;
    if (life_ == nullptr)
        return;
    life_->events.~EventQueue();
    graveyard.push_back(std::exchange(life_, nullptr));
}

bool MortalMaster::live(uint64_t points, const std::function<void()>& work) {
    points_left = points;
    try {
        work();
    } catch (const Death&) {
        bury();
        return true;
    }
    points_left = 0;
    return false;
}

bool MortalMaster::succeed(uint64_t points) {
    return live(points, [this] { inherit(); });
}

void MortalMaster::inherit() {
    put_books_in_order(ledger_, segment_.users);
    const LeftBehind left =
        find_left_behind(open_descriptors(0, descriptors_end), ledger_, open_before_,
            std::array{ListenedAt{listener_.address(), listener_.role(), listener_.proxied()}});
    if (table_ == Table::of_masters_alone)
        for (const int stranger : left.strangers)
            ::close(stranger);
    life_ = new Life(*this, max_per_address_);
    for (const Newcomer& newcomer : left.newcomers)
        life_->book.newcomers().note(newcomer.socket, newcomer.role, newcomer.proxied);
    life_->book.resume();
    (void)life_->acceptor.judge_inherited(life_->book, [] { return entry_0; });
}

UniqueFd MortalMaster::connect() const {
    const Address& address = listener_.address();
    UniqueFd client(::socket(address.family(), SOCK_STREAM, 0));
    if (::connect(client.get(), address.data(), address.size()) == -1)
        ADD_FAILURE() << "connect: " << errno;
    return client;
}

void MortalMaster::accept() {
    pollfd waiting{.fd = listener_.fd(), .events = POLLIN, .revents = 0};
    (void)::poll(&waiting, 1, -1);
    const auto arrival = book().newcomers().accept(listener_);
    if (!arrival)
        return;
    if (const auto refusal = book().refusal(arrival->peer))
        book().turn_away(*arrival, *refusal);
    else
        (void)book().take_in(*arrival, entry_0);
}

void MortalMaster::accept_from_proxy() {
    pollfd waiting{.fd = listener_.fd(), .events = POLLIN, .revents = 0};
    (void)::poll(&waiting, 1, -1);
    if (book().newcomers().accept(listener_))
        (void)life_->acceptor.judge_inherited(book(), [] { return entry_0; });
}

void MortalMaster::hear_proxies() {
    for (const EventQueue::Event& event : events().wait(std::chrono::seconds(10)))
        if (!is_timer(event) && tag_of(event).kind<Watched>() == Watched::proxied)
            (void)life_->acceptor.hear(event, book(), [] { return entry_0; });
}

bool MortalMaster::any_waits() const {
    pollfd waiting{.fd = listener_.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 1;
}

void MortalMaster::attach_all() {
    for (uint32_t slot = 0; slot < segment_.users.size(); ++slot) {
        const SlotStatus status = status_of(segment_.users[SlotId{slot}]);
        if (status.state == SlotState::assigned)
            segment_.users.attach(client_id(slot, status.generation), 0);
    }
}

void MortalMaster::hear_lingering() {
    for (const EventQueue::Event& event : events().wait(std::chrono::nanoseconds(0)))
        if (is_timer(event))
            book().lingering_close().timer();
        else
            book().lingering_close().readable(descriptor_of(event));
}

std::vector<ClientId> MortalMaster::members() const {
    std::vector<ClientId> members;
    for (uint32_t slot = 0; slot < ledger_.clients().size(); ++slot)
        if (const ClientRecord& client = ledger_.clients()[slot]; number_of(client.socket) != -1)
            members.push_back(client_id(slot, client.generation));
    return members;
}

std::optional<ClientId> MortalMaster::client_of(const Address& address) const {
    for (uint32_t slot = 0; slot < ledger_.clients().size(); ++slot) {
        const ClientRecord& client = ledger_.clients()[slot];
        if (number_of(client.socket) != -1 && client.peer.port == address.port())
            return client_id(slot, client.generation);
    }
    return std::nullopt;
}

namespace {

uint64_t sum_of(const nlohmann::ordered_json& object) {
    uint64_t sum = 0;
    for (const auto& [name, count] : object.items())
        sum += count.get<uint64_t>();
    return sum;
}

nlohmann::ordered_json all_counted(const Ledger& ledger) {
    nlohmann::ordered_json object;
    Counters(ledger).add_to(object);
    return object;
}

} // namespace

uint64_t MortalMaster::left() const {
    return sum_of(all_counted(ledger_)["left"]);
}

uint64_t MortalMaster::turned_away() const {
    return sum_of(all_counted(ledger_)["turned_away"]);
}

uint64_t MortalMaster::counted(const char* name) const {
    return all_counted(ledger_)[name].get<uint64_t>();
}

void MortalMaster::check() const {
    EXPECT_FALSE(Transitions(ledger_, segment_.users).any_under_way());
    Escrow& escrow = life_->book.escrow();
    uint32_t held = 0;
    std::array<uint32_t, entries> of_entry{};
    for (uint32_t slot = 0; slot < ledger_.clients().size(); ++slot) {
        const ClientRecord& record = ledger_.clients()[slot];
        const SlotStatus status = status_of(segment_.users[SlotId{slot}]);
        const ClientId client = client_id(slot, record.generation);
        const bool is_held = number_of(record.socket) != -1;
        EXPECT_EQ(is_held, status.state != SlotState::free) << slot;
        EXPECT_EQ(is_held, escrow.find(client) != nullptr) << slot;
        if (!is_held)
            continue;
        EXPECT_EQ(status.generation, record.generation) << slot;
        EXPECT_EQ(index_of(status.owner), record.entry) << slot;
        EXPECT_EQ(escrow.find(client)->entry(), EntryId{record.entry}) << slot;
        EXPECT_NE(::fcntl(number_of(record.socket), F_GETFD), -1) << slot;
        EXPECT_EQ(segment_.users[SlotId{slot}].port, record.peer.port) << slot;
        ++of_entry[record.entry];
        ++held;
    }
    EXPECT_EQ(escrow.held(), held);
    for (uint32_t entry = 0; entry < entries; ++entry)
        EXPECT_EQ(escrow.clients_of(EntryId{entry}), of_entry[entry]) << entry;
    EXPECT_EQ(counted("accepted"), held + left());
    EXPECT_TRUE(life_->book.newcomers().all().empty());
    for (const LingeringRecord& lingering : ledger_.lingering()) {
        const int socket = number_of(lingering.socket);
        EXPECT_TRUE(socket == -1 || ::fcntl(socket, F_GETFD) != -1) << socket;
    }
}

} // namespace test
} // namespace chatserv
