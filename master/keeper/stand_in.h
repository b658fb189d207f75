// The stand-in: a process that shares the keeper's descriptor table, or has the same descriptors,
// and does nothing with them. It is there so that the keeper can become another program.
//
// exec(2) takes the keeper out of the shared table. A keeper that became a program that fails would
// take every connection with it, so another process has to hold them meanwhile: a master that has
// stopped its work. It waits until the next master has taken over, and ends then. If the keeper
// dies before that, or its new program hangs, the stand-in becomes the keeper.
//
// Both can happen in the same instant: the keeper starts a master and dies. One word decides which
// of the two goes on, and each changes it in one step:
//
//     0 -> P           process P stands in
//     P -> 0           a master has claimed the connections: P ends
//     P -> P + taken   P has taken office as the keeper: any other process that finds it, ends
//     P + taken -> 0   a master that P has started has claimed them
#pragma once

#include "master/keeper/caught_signals.h"
#include "master/ledger/layout.h"

#include <chrono>
#include <sys/types.h>

namespace chatserv {

// The process that stands in; 0 for none.
[[nodiscard]] pid_t stand_in_of(const KeeperWords& words);
// This process stands in.
void stand_in(KeeperWords& words, pid_t self);
// In a process that shares the keeper's table: stands in until that is over. Ends the process if a
// master has claimed the connections; returns if the keeper has died and this process is to be the
// keeper. A keeper whose program does not start a master within the hang limit is killed.
void stand_in_for_next_program(
    KeeperWords& words, pid_t keeper, CaughtSignals& signals, std::chrono::milliseconds hang_limit);
// In the stand-in, whose keeper is dead or hangs: false if a master was quicker, and goes on.
[[nodiscard]] bool replace_keeper(KeeperWords& words, pid_t self);
// In a new master, before it changes anything: false if another process goes on in its place, and
// this one has to end at once. `keeper`: the process that started it.
[[nodiscard]] bool claim_connections(KeeperWords& words, pid_t keeper);

} // namespace chatserv
