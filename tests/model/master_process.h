// The masters of the model: the first one, and those that follow when it has died.
//
// A master keeps its books by the product's own code: Escrow, Newcomers, SeatBook and Transitions
// on a ledger, recover_entry() on the segment, and put_books_in_order() and find_left_behind() on
// what a dead master has left. Only what leads events to them is the model's own; the comments name
// what it follows.
#pragma once

#include "master/clients/counters.h"
#include "master/clients/escrow.h"
#include "master/clients/newcomers.h"
#include "master/clients/traffic.h"
#include "master/ledger/ledger.h"
#include "master/workers/seat_book.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "tests/model/master_calls.h"
#include "tests/model/simulator.h"

#include <array>
#include <cstdint>
#include <span>

namespace chatserv::model {

// The right way, and wrong ways that the model has to find.
enum class Recovery { right, without_repair, without_ringing, before_last_words };
enum class Admission { right, told_before_it_is_noted };
enum class Inheritance {
    right,
    without_lost_newcomers,
    without_noted_newcomers,
    without_sending_again,
    without_new_channels,
    without_dead_entries,
};

// The client of entry `from` is to be served by entry `to`, which has none.
struct WantedMove {
    uint32_t from = no_client;
    uint32_t to = no_client;

    [[nodiscard]] bool any() const { return from != no_client; }
};

class MasterProcess {
public:
    struct Surroundings {
        const Segment& segment;
        const Ledger& ledger;
        const Doorbells& doorbells;
        Simulator& simulator;
        WantedMove move;
        Recovery recovery;
        Admission admission;
        Inheritance inheritance;
    };

    // The books of the ledger are in order.
    explicit MasterProcess(const Surroundings& around);

    // The first master: takes up the workers that have introduced themselves.
    void begin();
    // A successor: takes over the workers, and judges the newcomers.
    void take_over(std::span<const Newcomer> newcomers);
    [[noreturn]] void run();

private:
    struct Process {
        bool alive = false;
        bool introduced = false;
        uint32_t entry = no_client; // none
    };

    [[nodiscard]] Hash knowledge() const;
    void handle(const MasterCalls::News& news);
    void hear(uint32_t process, const Word& word);
    void end_introduction(Process& process);
    void move(uint32_t from, ClientId client);
    void bury(uint32_t process);
    void recover(uint32_t entry);
    void recover_wrongly(uint32_t entry);
    void assign_spares();
    void judge(const Newcomers::Arrival& arrival);
    void dispatch();
    void ask_to_move();
    [[nodiscard]] uint32_t process_of(uint32_t entry) const;
    [[nodiscard]] int socket_of(ClientId client);

    const Surroundings& around_;
    MasterCalls calls_;
    Newcomers newcomers_;
    Escrow escrow_;
    SeatBook seats_;
    Counters counters_;
    std::array<Process, processes_max> processes_{};
    std::array<ClientId, entries> outbox_{};    // by entry, to be sent; generation 0: none
    std::array<ClientId, entries> confirmed_{}; // by entry, served as its worker has said
    bool asked_ = false;                        // for the client that is to move
};

// What a master notes of a client for people to read: when the client came, and how much it had
// sent and been sent when it left. Nothing follows from these numbers, so here all clients have the
// same.
inline constexpr uint64_t arrival_ms = 7;
inline constexpr Traffic traffic_of_leaver{.in = 5, .out = 3};

// The seat of a process has the process's number.
[[nodiscard]] constexpr SeatId seat_of(uint32_t process) {
    return SeatId{process};
}
[[nodiscard]] constexpr int32_t pid_of(uint32_t process) {
    return 100 + static_cast<int32_t>(process);
}

[[noreturn]] void run_master(const MasterProcess::Surroundings& around);
// Waits for the death of the process before it, and is the master from then on.
[[noreturn]] void run_successor(const MasterProcess::Surroundings& around);

} // namespace chatserv::model
