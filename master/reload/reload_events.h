// The log's events about reloads. docs/operating.md lists them.
#pragma once

#include "master/config/reload_plan.h"

#include <cstdint>
#include <string>

namespace chatserv::events {

void log_opened(const std::string& path);
void log_not_opened(const std::string& path, int error);

// `asked_by`: "SIGHUP" or the command.
void reloading(const std::string& asked_by);
// One line for each option, and one for the whole.
void reloaded(const ReloadReport& report);
void reload_failed(const std::string& why);
// A signal has asked for one.
void reload_refused(const std::string& why);

} // namespace chatserv::events
