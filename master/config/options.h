// What the user asks for: flags before environment before configuration file.
#pragma once

#include "master/config/listen_address.h"
#include "master/config/network.h"
#include "master/config/setting.h"
#include "shared/segment/layout.h"
#include "shared/system/logging.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// One per core, at least 2.
[[nodiscard]] uint32_t default_workers();

// What each is, and what it may be, stands in option_table.cpp.
struct Options {
    std::vector<ListenAddress> listen{1}; // port 9999 of the loopback
    uint32_t users = 10;
    uint32_t workers = default_workers();
    uint32_t spares = 1;
    uint64_t log_bytes = 4 * 1024 * 1024;
    std::chrono::milliseconds stall_limit{5000};
    uint32_t min_drain_bytes = 64 * 1024; // a second
    SlowPolicy slow_policy = SlowPolicy::wait;
    std::chrono::milliseconds hang_limit{2000};
    std::string control; // path of the control socket, or "none"; empty: where it usually is
    std::string log_level = "info";
    LogFormat log_format = LogFormat::text;
    std::string log_file;         // empty: standard error
    uint32_t max_per_address = 0; // 0: no limit
    std::vector<Network> allow;   // empty: everybody
    std::vector<Network> deny;
    uint32_t keepalive_seconds = 60;           // 0: off
    uint32_t max_rate_bytes = 0;               // a second, of one user; 0: any number
    std::chrono::milliseconds idle_timeout{0}; // 0: none
    // Whose rights the workers have (worker_user.h). The name is empty where none was given and
    // they keep the master's.
    std::string user;
    bool user_by_default = false; // nobody asked for that one
    Place user_place{"--user"};   // where it was written
    uid_t worker_uid = 0;
    gid_t worker_gid = 0;
    bool check_config = false;
};

// Nothing where --help or --version was all that was asked for, and has been printed.
// Throws Failure: EX_USAGE for a flag, variable or value that is not allowed, EX_NOINPUT for a
// configuration file that cannot be read, EX_CONFIG for one that cannot be understood, or that
// holds a value that is not allowed. Every value is judged, also one that another source replaces.
[[nodiscard]] std::optional<Options> parse_options(int argc, const char* const* argv);

// The options in force, one per line, as a configuration file would have them.
[[nodiscard]] std::string describe(const Options& options);

} // namespace chatserv
