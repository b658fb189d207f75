// The log's events about the keeper and the lives of masters.
#pragma once

#include <chrono>
#include <string>
#include <sys/types.h>

namespace chatserv::events {

// Keeper: a master has died. `cause`: as waitpid(2) tells it. `delay`: until the next one is
// started.
void master_died(pid_t master, const std::string& cause, std::chrono::milliseconds delay);
void master_hangs(pid_t master, std::chrono::milliseconds hang_limit);
void master_not_started(int error);
// Masters die before they can stop the server, which a signal asked for.
void stop_given_up(pid_t master, const std::string& cause);

// Master: the keeper has died, and this process is the keeper now.
void keeper_died(pid_t keeper, pid_t self);

// Master that stands in: the keeper has become a program that does not start a master, so it is
// killed. `limit`: for how long this was waited for.
void next_program_hangs(pid_t keeper, std::chrono::milliseconds limit);

// The start, on a system where two processes cannot share their descriptors.
void no_keeper();

} // namespace chatserv::events
