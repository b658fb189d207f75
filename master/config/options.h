// The options that the user sets. The command line overrides the environment, and the environment
// overrides the configuration file.
#pragma once

#include "master/config/listen_address.h"
#include "master/config/network.h"
#include "master/config/replay_amount.h"
#include "master/config/setting.h"
#include "master/config/source_address.h"
#include "shared/segment/settings_records.h"
#include "shared/system/logging.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// One worker per core, but at least 2.
[[nodiscard]] uint32_t default_workers();

// The default of most systems (tcp(7)); see master/clients/keepalive.h.
inline constexpr uint32_t keepalive_seconds_max = 7200;

// Which of the workers serve the users.
enum class PlacementPolicy {
    load, // as few as can
    even, // all, whatever they have to do
};

// What the end of standard input does.
enum class AtEndOfStdin {
    go_on, // nothing else
    stop,  // the server stops when all of it is relayed
};

// Where the servers of NATS keep the stream of a room.
enum class RoomStorage { file, memory };

// The value of --log-file that means the system's log: syslogd(8).
inline constexpr std::string_view system_log_word = "syslog";

// option_table.cpp says what each option means and which values it allows.
struct Options {
    std::vector<ListenAddress> listen{1}; // one address: port 9999 on the loopback
    std::vector<ListenAddress> metrics;   // where the metrics process listens; empty: none runs
    std::vector<SourceAddress> sources{}; // beside standard input and output
    std::chrono::milliseconds source_silence{0}; // 0: a source may be silent for ever
    std::string source_greeting{};               // with its escapes (source_set.h)
    bool standard_input = false;
    bool standard_output = false;
    AtEndOfStdin at_end_of_stdin = AtEndOfStdin::go_on;
    uint32_t unix_mode = 0660; // of the file of each UNIX socket that users come to
    std::string unix_group;    // the group of that file; empty: the process's own
    Place unix_group_place{"--unix-group"};
    std::optional<gid_t> unix_gid{}; // what that is by number (unix_access.h)
    uint32_t users = 10;
    uint32_t workers = default_workers();
    uint32_t spares = 1;
    PlacementPolicy placement = PlacementPolicy::load;
    uint64_t log_bytes = 4 * 1024 * 1024;
    std::chrono::milliseconds stall_limit{5000};
    uint32_t min_drain_bytes = 64 * 1024; // a second
    SlowPolicy slow_policy = SlowPolicy::wait;
    std::chrono::milliseconds hang_limit{2000};
    std::string control; // path of the control socket, or "none"; empty: the default path
    std::string log_level = "info";
    LogFormat log_format = LogFormat::text;
    std::string log_file;         // empty: standard error; or system_log_word
    uint32_t max_per_address = 0; // 0: no limit
    std::vector<Network> allow;   // empty: every network
    std::vector<Network> deny;
    std::vector<Network> proxy_trust;              // of the proxies that come to `proxy:` addresses
    std::chrono::milliseconds proxy_timeout{3000}; // in which the header must come
    uint32_t keepalive_seconds = 60;               // 0: off
    uint32_t max_rate_bytes = 0;                   // per second, from each user; 0: no limit
    std::chrono::milliseconds idle_timeout{0};     // 0: none
    ReplayAmount replay{};                         // what a newcomer is sent first; none by default
    Framing framing = Framing::none;
    uint32_t line_max_bytes = FramingSettings{}.line_bytes_max; // without the line's end
    LineEnd line_end = LineEnd::keep;
    Prefix prefix = Prefix::none;
    // A room of several hosts (room_options.h).
    std::vector<std::string> join{}; // servers of NATS; empty: no room is joined
    std::string room{};
    uint32_t room_replicas = 1;
    RoomStorage room_storage = RoomStorage::file;
    uint64_t room_retention = 1024 * 1024 * 1024;
    std::string room_credentials{}; // paths, or empty
    std::string room_ca{};
    std::string room_certificate{};
    std::string room_key{};
    // The user that the workers run as (worker_user.h). Empty if no user was given and the workers
    // run as the master's user.
    std::string user;
    bool user_by_default = false; // `user` was not given, but chosen by default
    Place user_place{"--user"};   // where `user` was given
    uid_t worker_uid = 0;
    gid_t worker_gid = 0;
    bool check_config = false;

    // No source names an address to listen on.
    [[nodiscard]] bool listens_by_default() const {
        return listen.size() == 1 && listen.front().place.text.empty();
    }
    // The server is one of several hosts of a room.
    [[nodiscard]] bool joined() const { return !room.empty(); }
    // The log goes to a file, which SIGHUP opens again.
    [[nodiscard]] bool has_log_file() const {
        return !log_file.empty() && log_file != system_log_word;
    }
};

// Returns nothing if --help or --version was given; its text has then been printed.
// Throws Failure: EX_USAGE for a flag, variable or value that is not allowed, EX_NOINPUT for a
// configuration file that cannot be read, EX_CONFIG for a file that cannot be understood or holds a
// value that is not allowed. Every value is checked, even one that another source overrides, and
// then whether the values in force can be in force together.
[[nodiscard]] std::optional<Options> parse_options(int argc, const char* const* argv);

// The options that `text`, what describe() has printed, stands for. `source`: its name, for the
// error line. Throws Failure(EX_CONFIG).
[[nodiscard]] Options options_from(const std::string& source, const std::string& text);

// The options in force, one per line, in the form of a configuration file.
[[nodiscard]] std::string describe(const Options& options);

} // namespace chatserv
