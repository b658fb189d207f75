// A keeper whose masters are stand-ins: they beat, act on signals and do what the test orders.
//
// Everything that a test looks at lies in memory that all processes share. The test is the
// subreaper of them all, so it gets a keeper that took office later as well.
#pragma once

#include "master/keeper/keeper.h"
#include "master/ledger/ledger.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <sys/types.h>

namespace chatserv {

inline constexpr int final_status = 7; // of a stand-in that was told to stop

enum class Order : uint32_t { serve, hang, die_young };

// Zero at the start.
struct Stage {
    uint32_t order;      // Order, read by each master in each turn
    uint32_t masters;    // how many have begun
    uint32_t served;     // generation of the last one that took up its work
    uint32_t turns;      // of all masters
    uint32_t left_open;  // a descriptor that the last master opened, plus one
    uint32_t lost;       // how many masters found that descriptor closed
    uint32_t taken_stop; // what the last master was told of a stop; 0: nothing
    uint32_t held_back;  // pid of a child that may not be reaped
    uint32_t stranger;   // pid of a child that is no master
    uint32_t acted[passed_signals_end];
    int64_t began_ns[16]; // when the first masters began
};

class StandInServer {
public:
    struct Setting {
        std::chrono::milliseconds hang_limit = std::chrono::seconds(60);
        std::function<void()> before_keeper{}; // runs in the keeper's process first
    };

    explicit StandInServer(const Setting& setting);
    ~StandInServer(); // kills what is left, and reaps it
    StandInServer(const StandInServer&) = delete;
    StandInServer& operator=(const StandInServer&) = delete;

    [[nodiscard]] Stage& stage() { return *stage_; }
    [[nodiscard]] KeeperWords& words() { return *words_; }
    // The processes now; 0 while there is none.
    [[nodiscard]] pid_t keeper() const { return static_cast<pid_t>(load_acquire(words_->keeper)); }
    [[nodiscard]] pid_t master() const { return static_cast<pid_t>(load_acquire(words_->master)); }
    [[nodiscard]] uint32_t generation() const { return load_acquire(words_->generation); }
    [[nodiscard]] uint32_t acted(int signal) const {
        return load_acquire(stage_->acted[static_cast<size_t>(signal)]);
    }

    void order(Order order) { store_release(stage_->order, static_cast<uint32_t>(order)); }

    // Waits until a master of this generation or a later one serves, under a keeper that is not
    // itself. False if that takes too long.
    [[nodiscard]] bool wait_for_master(uint32_t generation);
    // Waits for the end of the keeper: its status as a shell has it.
    [[nodiscard]] std::optional<int> wait_for_end();
    // Waits until no process of the server is left.
    [[nodiscard]] bool all_gone();

    // Waits until it is true. False if that takes too long.
    [[nodiscard]] static bool comes_true(const std::function<bool()>& condition);

private:
    [[nodiscard]] MasterEnd run_master(KeeperLink& link);
    [[nodiscard]] bool turn(KeeperLink& link, EventQueue& events);
    void look_at_legacy();
    void end_without_test(const KeeperLink& link) const;
    void reap();

    Setting setting_;
    Stage* stage_;
    Ledger ledger_;
    KeeperWords* words_;
    FdPair life_;  // the writing end is open in every process of the server
    FdPair guard_; // the writing end is open in the test alone
    pid_t first_keeper_ = -1;
};

} // namespace chatserv
