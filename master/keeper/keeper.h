// The keeper: the process that the user starts, which keeps a master running.
//
// Keeper and master share one descriptor table (shared_table.h). The keeper starts the master,
// waits for its end, and starts the next, so that nothing that a dead master had open is closed.
// It can do little, so that little can end it: it opens nothing, waits for signals and no
// descriptor, and touches only its words and its children.
//
// If the keeper dies, its master becomes the keeper and starts another master. So the keeper is
// always the master's parent, and there is one way by which a master takes over. Two cases are
// left: a keeper without a master starts one, and a master without a keeper keeps. Keeper and
// master killed together leave nobody.
//
// The keeper can become another program (exec(2)), as which it has the same pid, the same children
// and the same descriptors. stand_in.h says what keeps the connections meanwhile.
//
//     keeper: start -> watch -> (master ended: bury) -> start ...     -> final: the exit status
//     master: run   -> (keeper died: take office as the keeper) -> start ...
#pragma once

#include "master/keeper/caught_signals.h"
#include "master/keeper/keeper_link.h"
#include "master/keeper/keeper_words.h"
#include "master/workers/hang_judge.h"
#include "master/workers/start_delay.h"
#include "shared/segment/served_clock.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <sys/types.h>

namespace chatserv {

// How a master's run ended.
struct MasterEnd {
    enum class How {
        final,       // the server has ended, with this exit status
        failed,      // this master cannot go on; another may
        keeper_died, // this process has to keep the server
        stands_in,   // the keeper is to become another program (stand_in.h)
    };
    How how;
    int exit_status = 0;
};

class Keeper {
public:
    using Clock = HangJudge::Clock;
    enum class Role { keeper, master };

    struct Plan {
        // Runs in the master, where it returns how its run ended. Throws nothing. What it opens
        // must stay open when it returns.
        std::function<MasterEnd(KeeperLink&)> run_master;
        // This process has a new role: its title, and its name in the log.
        std::function<void(Role)> appear_as;
        // In each turn of the keeper: a reload may have changed how its log is written.
        std::function<void()> look_at_settings{};
        // Asked about each child that has ended, masters excepted, perhaps several times: whether
        // it may be reaped now. Until then it keeps its pid, so no new process can have that.
        std::function<bool(pid_t)> may_reap;
        // Becomes another program, where a master that stands in has asked for that. Returns only
        // if it fails. The master is not started again: another one takes its place.
        std::function<void()> become_next{};
        // A master has died before it served. True if this process is to become the program again
        // that it was before; then it becomes that by the second function, which returns only if it
        // fails.
        std::function<bool()> is_to_return{};
        std::function<void()> become_former{};
        // A master that does not answer for this long is killed (P5).
        std::chrono::milliseconds hang_limit;
    };

    Keeper(KeeperWords& words, Plan plan);
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    // Keeps a master until one of them ends the server. Returns the exit status, in the process
    // that is the keeper then; no master is left. Throws Failure if the system refuses the first
    // master.
    [[nodiscard]] int run();

private:
    void take_office();
    void start_master();
    void be_master();
    void hand_over();
    void return_to_former();
    void wait_for_stand_in();
    void retire_stand_in();
    [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_sleep();
    void take_signals();
    [[nodiscard]] std::optional<int> look_for_end();
    [[nodiscard]] std::optional<int> bury(int wait_status);
    [[nodiscard]] bool stop_is_hopeless(bool killed) const;
    void reap_others() const;
    void end_hung_master();

    KeeperWords& words_;
    Plan plan_;
    CaughtSignals signals_;
    ServedRecord served_{};
    ServedClock clock_;
    HangJudge judge_;
    StartDelay delay_;
    pid_t self_ = 0;
    pid_t master_ = 0; // 0: none runs
    pid_t retiring_;   // stands in, until a master has claimed the connections; 0: none
    SeatId seat_{};    // of the master with the judge
    uint32_t generation_;
};

} // namespace chatserv
