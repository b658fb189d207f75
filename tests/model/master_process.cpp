#include "tests/model/master_process.h"

#include "master/clients/inheritance.h"
#include "master/clients/listener.h"
#include "master/workers/takeover.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/log_append.h"
#include "shared/system/panic.h"

#include <unistd.h>

namespace chatserv::model {

namespace {

constexpr Departure end_of_file{LeaveReason::end_of_file};

} // namespace

MasterProcess::MasterProcess(const Surroundings& around) :
    around_(around), calls_(around.simulator), newcomers_(around.ledger, true),
    escrow_(around.ledger, UserTable(around.segment), entries, true), seats_(around.ledger),
    counters_(around.ledger) {}

// Everything that makes a difference in the next turn and is not in the ledger.
Hash MasterProcess::knowledge() const {
    Hash hash;
    for (const Process& process : processes_)
        hash.add(static_cast<uint64_t>(process.entry) << 2 | (process.alive ? 1U : 0U) |
                 (process.introduced ? 2U : 0U));
    for (uint32_t entry = 0; entry < entries; ++entry) {
        hash.add(
            static_cast<uint64_t>(outbox_[entry].generation) << 32 | index_of(outbox_[entry].slot));
        hash.add(static_cast<uint64_t>(confirmed_[entry].generation) << 32 |
                 index_of(confirmed_[entry].slot));
    }
    hash.add(asked_ ? 1 : 0);
    return hash;
}

void MasterProcess::begin() {
    for (const SeatBook::Seated& seated : seats_.seated()) {
        const uint32_t number = index_of(seated.seat);
        processes_.at(number) = {.alive = true,
            .introduced = true,
            .entry = seated.entry ? index_of(*seated.entry) : no_client};
        calls_.watch_exit(number);
    }
    ask_to_move();
}

// Master::begin_as_successor, Workforce::take_over, WorkerPool::take_over
void MasterProcess::take_over(std::span<const Newcomer> newcomers) {
    if (around_.inheritance != Inheritance::without_lost_newcomers)
        for (const Newcomer& newcomer : newcomers)
            (void)newcomers_.note(newcomer.socket, newcomer.role, newcomer.proxied);
    for (const SeatBook::Seated& seated : seats_.seated()) {
        const uint32_t number = index_of(seated.seat);
        if (seated.state == SeatState::ended) {
            seats_.note_empty(seated.seat);
            continue;
        }
        processes_.at(number) = {
            .alive = true, .entry = seated.entry ? index_of(*seated.entry) : no_client};
        calls_.watch_exit(number);
        if (around_.inheritance != Inheritance::without_new_channels)
            calls_.offer_channel(number);
    }
    if (around_.inheritance != Inheritance::without_dead_entries)
        for (const EntryId entry : seats_.dead_entries())
            recover(index_of(entry));
    if (around_.inheritance != Inheritance::without_noted_newcomers)
        for (const Newcomer& newcomer : newcomers_.all())
            if (const auto arrival = newcomers_.prepare(newcomer))
                judge(*arrival);
}

void MasterProcess::run() {
    for (;;) {
        dispatch();
        around_.simulator.forget(knowledge());
        handle(calls_.wait_for_news(around_.recovery != Recovery::before_last_words));
    }
}

void MasterProcess::handle(const MasterCalls::News& news) {
    switch (news.kind) {
    case MasterCalls::News::Kind::word:
        return hear(news.process, news.word);
    case MasterCalls::News::Kind::exit:
        return bury(news.process);
    case MasterCalls::News::Kind::connection:
        if (const auto arrival = newcomers_.accept(Listener()))
            judge(*arrival);
        return;
    }
}

// Hearing::hear. A word about a client that is not, or no longer, of the worker's entry is ignored.
void MasterProcess::hear(uint32_t process, const Word& word) {
    Process& said_by = processes_.at(process);
    const ClientId client{.slot = SlotId{word.slot}, .generation = word.generation};
    const uint32_t entry = said_by.entry;
    const bool held =
        entry != no_client && escrow_.find_served_by(EntryId{entry}, client) != nullptr;
    switch (word.kind) {
    case Word::Kind::hello:
        invariant(word.entry == 0 || word.entry == entry + 1,
            "a worker has another entry than the books say");
        if (word.entry == 0 && entry != no_client)
            calls_.give(process, entry, {}, -1);
        return;
    case Word::Kind::serves:
        if (held)
            confirmed_.at(entry) = client;
        return;
    case Word::Kind::closed:
        if (held)
            escrow_.release(client, counters_.one_more(end_of_file), traffic_of_leaver);
        return;
    case Word::Kind::let_go:
        if (held)
            move(entry, client);
        return;
    case Word::Kind::introduced:
        return end_introduction(said_by);
    }
}

// Hearing::end_introduction, ClientDispatch::replace_unconfirmed. An entry has one client at most,
// so there is no order in which to send them.
void MasterProcess::end_introduction(Process& process) {
    process.introduced = true;
    if (process.entry == no_client)
        return assign_spares();
    const ClientId confirmed = std::exchange(confirmed_.at(process.entry), {});
    for (const ClientId client : escrow_.all_of(EntryId{process.entry}))
        if (client != confirmed && around_.inheritance != Inheritance::without_sending_again)
            outbox_.at(process.entry) = client;
    ask_to_move();
}

// Hearing::move
void MasterProcess::move(uint32_t from, ClientId client) {
    invariant(from == around_.move.from, "a worker let a client go that is to stay");
    invariant(escrow_.reassign(client, EntryId{around_.move.to}),
        "a worker told of a client that it had not let go");
    outbox_.at(around_.move.to) = client;
}

// Workforce::bury
void MasterProcess::bury(uint32_t number) {
    Process& process = processes_.at(number);
    const uint32_t entry = process.entry;
    seats_.note_exit(
        seat_of(number), entry == no_client ? std::nullopt : std::optional(EntryId{entry}));
    process.alive = false;
    process.introduced = false;
    if (entry != no_client)
        recover(entry);
    seats_.note_empty(seat_of(number));
    assign_spares();
}

void MasterProcess::recover(uint32_t entry) {
    if (entry == around_.move.from)
        asked_ = false;
    if (around_.recovery != Recovery::right && around_.recovery != Recovery::before_last_words)
        return recover_wrongly(entry);
    const std::vector<ClientId> lost =
        recover_entry(EntryId{entry}, around_.segment, escrow_, around_.doorbells);
    invariant(lost.empty(), "a client was lost");
}

// recover_entry(), with one thing left out.
void MasterProcess::recover_wrongly(uint32_t entry) {
    if (around_.recovery != Recovery::without_repair)
        repair_logs(around_.segment, EntryId{entry});
    store_release(around_.segment.worker_table()[entry].asleep, 0);
    for (const ClientId client : escrow_.all_of(EntryId{entry}))
        invariant(UserTable(around_.segment).orphan(client, EntryId{entry}) != SlotState::free,
            "a client was lost");
    if (around_.recovery != Recovery::without_ringing)
        around_.doorbells.ring_all();
}

// WorkerPool::assign_spares, Succession::assign_spares
void MasterProcess::assign_spares() {
    for (uint32_t number = 0; number < processes_max; ++number) {
        Process& spare = processes_[number];
        if (!spare.alive || !spare.introduced || spare.entry != no_client)
            continue;
        for (const EntryId vacant : seats_.dead_entries()) {
            const uint32_t entry = index_of(vacant);
            seats_.note_manned(vacant, seat_of(number));
            spare.entry = entry;
            outbox_.at(entry) = {};
            const std::vector<ClientId> clients =
                clients_for_successor(vacant, around_.segment, escrow_);
            const ClientId client = clients.empty() ? ClientId{} : clients.front();
            calls_.give(number, entry, client, clients.empty() ? -1 : socket_of(client));
            ask_to_move();
            break;
        }
    }
}

// Acceptor::judge, ClientBook::take_in. The newcomer listens.
void MasterProcess::judge(const Newcomers::Arrival& arrival) {
    invariant(!escrow_.full(), "the model is wrong: a newcomer finds no slot");
    if (around_.admission == Admission::told_before_it_is_noted) {
        uint32_t slot = 0;
        while (number_of(around_.ledger.clients()[slot].socket) != -1)
            ++slot;
        calls_.send_client(process_of(entry_r),
            {.slot = SlotId{slot}, .generation = around_.ledger.clients()[slot].generation + 1},
            arrival.newcomer.socket);
    }
    const ClientId client = escrow_.admit(arrival.newcomer, arrival.peer, EntryId{entry_r},
        counters_.one_more_accepted(), arrival_ms);
    if (around_.admission == Admission::right)
        outbox_.at(entry_r) = client;
}

// ClientDispatch::send
void MasterProcess::dispatch() {
    for (uint32_t entry = 0; entry < entries; ++entry) {
        const uint32_t process = process_of(entry);
        if (outbox_[entry].generation == 0 || process == processes_max ||
            !processes_[process].introduced)
            continue;
        const ClientId client = std::exchange(outbox_[entry], {});
        if (escrow_.find(client) != nullptr)
            calls_.send_client(process, client, socket_of(client));
    }
}

// Moving, ClientDispatch::send_requests
void MasterProcess::ask_to_move() {
    if (!around_.move.any() || asked_)
        return;
    const uint32_t process = process_of(around_.move.from);
    if (process == processes_max || !processes_[process].introduced ||
        escrow_.all_of(EntryId{around_.move.from}).empty())
        return;
    calls_.ask(process);
    asked_ = true;
}

// The process that serves an entry; processes_max: none.
uint32_t MasterProcess::process_of(uint32_t entry) const {
    uint32_t number = 0;
    while (
        number < processes_max && !(processes_[number].alive && processes_[number].entry == entry))
        ++number;
    return number;
}

int MasterProcess::socket_of(ClientId client) {
    return escrow_.find(client)->socket();
}

void run_master(const MasterProcess::Surroundings& around) {
    MasterProcess master(around);
    master.begin();
    master.run();
}

// inherit_descriptors
void run_successor(const MasterProcess::Surroundings& around) {
    const MasterCalls calls(around.simulator);
    calls.await_predecessor();
    put_books_in_order(around.ledger, UserTable(around.segment));
    put_seats_in_order(around.ledger);
    const std::array listening{ListenedAt{Address::loopback(AF_INET, listening_port)}};
    const LeftBehind left =
        find_left_behind(calls.open_connections(), around.ledger, {}, listening);
    if (around.inheritance != Inheritance::without_new_channels)
        calls.close_channels();
    for (const int stranger : left.strangers)
        ::close(stranger);
    MasterProcess master(around);
    master.take_over(left.newcomers);
    master.run();
}

} // namespace chatserv::model
