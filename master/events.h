// The log's events about the server as a whole. docs/operating.md lists them; the other events are
// in clients/client_events.h, workers/worker_events.h and control/control_events.h. No other code
// of the master writes to the log.
#pragma once

#include "master/config/options.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace chatserv::events {

// The start.
void starting(const Options& options);
// `why_not`: why the kernel's account of connections cannot be relied on; empty where it can.
void kernel_account(const std::string& why_not);
void failed(const char* why);

// A master goes on with the users of one that has died.
void carries_on(uint32_t users);

// While it serves.
void stood_still(std::chrono::duration<double> time);
void signal_ignored(int signal);

// The end.
void stopping(int signal, uint32_t users);
void stop_at_once(int signal);
void stop_overdue();

} // namespace chatserv::events
