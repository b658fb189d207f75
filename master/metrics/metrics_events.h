// The log's events about the metrics process. docs/operating.md lists them.
#pragma once

#include "master/clients/listener.h"

#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv::events {

void metrics_started(const std::vector<Listener>& listeners, pid_t pid);
void metrics_died(pid_t pid, const std::string& cause, std::chrono::milliseconds delay);
void metrics_not_started(const std::string& why);

} // namespace chatserv::events
