// Why clients leave, and why newcomers are refused: a table with one row for each reason, which
// holds everything that is said of it.
//
// A new reason is a value of LeaveReason (shared/ipc/protocol.h) or of Refusal, and its row in
// departures.cpp. The statistics, the log and the line that the client reads all come from there.
#pragma once

#include "shared/ipc/protocol.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace chatserv {

// Why a newcomer was not taken in.
enum class Refusal : uint8_t {
    not_allowed,
    address_full,
    table_full,
    proxy_untrusted, // it came to a `proxy:` address, from no proxy that is trusted
    proxy_header,    // what came first was no header of a proxy
    proxy_silent,    // no whole header came in time
    proxy_in_doubt,  // a master died while it read the header, and no account of that is kept
    proxy_check,     // the proxy has connected for itself, to see whether the server is there
};

// Which of them the log tells of.
enum class LogRate : uint8_t {
    each,   // every one
    seldom, // one in a while, and how many were not told: the peer may come back without end
    debug,  // every one, for whoever looks for it
};

inline constexpr size_t refusals_end = static_cast<size_t>(Refusal::proxy_check) + 1;

struct RefusalRow {
    Refusal refusal;
    const char* name;         // in the statistics, and in the log's JSON
    const char* log_text;     // what the log says before the address
    const char* line_to_peer; // sent before the connection is closed; empty: none
    LogRate log_rate = LogRate::each;
};

// The row of each refusal, in the order of the enumeration.
[[nodiscard]] std::span<const RefusalRow> refusal_rows();
[[nodiscard]] const RefusalRow& row_of(Refusal refusal);

struct Departure {
    LeaveReason reason;
    int error = 0; // errno, where the reason has one
};

// What a failed read or write tells of the connection.
enum class Breakage : uint8_t {
    none,     // the row is not of a failure
    reset,    // ECONNRESET, EPIPE
    timeout,  // ETIMEDOUT: the peer is silent (keepalive.h), or acknowledges nothing
    any_other //
};

struct DepartureRow {
    LeaveReason reason;
    Breakage breakage;
    const char* name;         // in the statistics, and in the log's JSON; rows can share it
    const char* log_text;     // with {error} and {idle_seconds} where it has them
    const char* line_to_peer; // sent before the connection is closed; empty: none
};

// In the order in which the statistics name them.
[[nodiscard]] std::span<const DepartureRow> departure_rows();
[[nodiscard]] const DepartureRow& row_of(const Departure& departure);

// What the log says after "left: ". `idle_timeout`: as of --idle-timeout.
[[nodiscard]] std::string text_of(
    const Departure& departure, std::chrono::milliseconds idle_timeout);

} // namespace chatserv
