// The log's events about worker processes. docs/operating.md lists them.
#pragma once

#include "master/workers/spread.h"
#include "master/workers/takeover.h"
#include "master/workers/worker_pool.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv::events {

// The life of a worker. `entry`: of the worker table; the log names its worker, which is one more.
void worker_ready(pid_t pid);
void worker_started(EntryId entry, pid_t pid);
void worker_died(const WorkerPool::Exit& exit, const std::string& cause);
// The entry gets no other process: a reload has taken it out of service.
void worker_retired(EntryId entry);
void taken_over(const Takeover& takeover, double milliseconds);
// `milliseconds`: in served time, from the request to the last client served elsewhere.
void drain_begun(EntryId entry, uint32_t users);
void drained(EntryId entry, uint64_t users, double milliseconds);
void drain_ended(EntryId entry);
void moved(ClientId client, EntryId from, EntryId to);
// Over how many workers the room is spread from now on.
void spread(uint32_t workers, Spread::Reason reason);
void protocol_broken(pid_t pid);
void stranger_reaped(pid_t pid, std::optional<int> wait_status);

// What a worker lacked.
void not_received(EntryId entry, size_t clients);
void log_file_lost(pid_t pid);

// Starting workers.
void worker_not_started(const std::string& why);
void start_delayed(uint32_t deaths, std::chrono::milliseconds delay);
void workers_missing(const Staff& staff, const std::string& why, uint32_t users_waiting);
void workers_complete(const Staff& staff);

// What a worker may do. `user`: whose rights it has; empty: the master's.
void own_rights_kept(const std::string& why);
void confined(const std::string& user, const std::string& by);
void not_confined(const std::string& user, const std::string& why);

} // namespace chatserv::events
