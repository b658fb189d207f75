#include "master/clients/departures.h"

#include "master/ledger/layout.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <string_view>

namespace chatserv {

namespace {

constexpr std::array refusals{
    RefusalRow{
        Refusal::not_allowed, "not_allowed", "not allowed", "your address is not allowed here!\n"},
    RefusalRow{Refusal::address_full, "address_full", "too many from one address",
        "too many connections from your address!\n"},
    RefusalRow{Refusal::table_full, "table_full", "table full", "too many users!\n"},
    RefusalRow{Refusal::proxy_untrusted, "proxy_untrusted", "not a trusted proxy",
        "only proxies may connect here!\n", LogRate::seldom},
    RefusalRow{Refusal::proxy_header, "proxy_header", "no PROXY protocol header came first",
        "a PROXY protocol header must come first!\n", LogRate::seldom},
    RefusalRow{Refusal::proxy_silent, "proxy_silent", "no PROXY protocol header came in time",
        "a PROXY protocol header must come first!\n", LogRate::seldom},
    RefusalRow{Refusal::proxy_in_doubt, "proxy_in_doubt",
        "in doubt: the master died while it read the PROXY protocol header", "", LogRate::seldom},
    RefusalRow{Refusal::proxy_check, "proxy_check", "a check by a proxy", "", LogRate::debug},
};

// A line that a peer is to read is noted in the ledger before it is sent.
template <typename Rows>
constexpr bool lines_fit_into_the_ledger(const Rows& rows) {
    return std::ranges::all_of(rows, [](const auto& row) {
        return std::string_view(row.line_to_peer).size() <= sizeof(LingeringRecord::line);
    });
}

constexpr bool refusals_are_in_order() {
    for (size_t i = 0; i < refusals.size(); ++i)
        if (static_cast<size_t>(refusals[i].refusal) != i)
            return false;
    return refusals.size() == refusals_end;
}
static_assert(refusals_are_in_order() && lines_fit_into_the_ledger(refusals));

constexpr std::array departures{
    DepartureRow{LeaveReason::end_of_file, Breakage::none, "end_of_file", "end of file", ""},
    DepartureRow{LeaveReason::read_error, Breakage::reset, "reset", "connection reset", ""},
    DepartureRow{LeaveReason::write_error, Breakage::reset, "reset", "connection reset", ""},
    DepartureRow{
        LeaveReason::read_error, Breakage::timeout, "timed_out", "connection timed out", ""},
    DepartureRow{
        LeaveReason::write_error, Breakage::timeout, "timed_out", "connection timed out", ""},
    DepartureRow{LeaveReason::read_error, Breakage::any_other, "error", "read error: {error}", ""},
    DepartureRow{
        LeaveReason::write_error, Breakage::any_other, "error", "write error: {error}", ""},
    DepartureRow{LeaveReason::stalled, Breakage::none, "stalled",
        "stalled: it read too little, and held up the others for the stall limit", ""},
    DepartureRow{LeaveReason::no_worker, Breakage::none, "stalled",
        "stalled: no worker could be started for it, and it held up the others for the stall limit",
        ""},
    DepartureRow{LeaveReason::fell_behind, Breakage::none, "fell_behind",
        "too slow: it was a whole log behind", ""},
    DepartureRow{
        LeaveReason::server_stopped, Breakage::none, "server_stopped", "server stopped", ""},
    DepartureRow{LeaveReason::in_doubt, Breakage::none, "in_doubt",
        "in doubt: its worker died while serving it, and this system keeps no account of how far "
        "that worker had got",
        ""},
    DepartureRow{LeaveReason::overwritten, Breakage::none, "lost",
        "its slot was overwritten by its worker", ""},
    DepartureRow{LeaveReason::idle, Breakage::none, "idle",
        "idle: it sent nothing for {idle_seconds} s", "idle for too long!\n"},
    DepartureRow{LeaveReason::kicked, Breakage::none, "kicked", "kicked: an operator ended it",
        "you were disconnected by an operator!\n"},
    DepartureRow{LeaveReason::bad_request, Breakage::none, "bad_request",
        "bad request: its first line does not say from where it resumes",
        "the first line must be: resume, and from where!\n"},
    DepartureRow{LeaveReason::source_removed, Breakage::none, "source_removed",
        "its source is not in the configuration any more", ""},
    DepartureRow{LeaveReason::room_over, Breakage::none, "room_over",
        "its room is over on this host", ""}, // its worker has told it: last_line.h
    DepartureRow{LeaveReason::room_unread, Breakage::none, "room_over",
        "its room is over on this host, and it did not read the rest in time", ""},
};
static_assert(lines_fit_into_the_ledger(departures));

Breakage breakage_of(const Departure& departure) {
    if (departure.reason != LeaveReason::read_error && departure.reason != LeaveReason::write_error)
        return Breakage::none;
    switch (departure.error) {
    case ECONNRESET:
    case EPIPE:
        return Breakage::reset;
    case ETIMEDOUT:
        return Breakage::timeout;
    default:
        return Breakage::any_other;
    }
}

} // namespace

std::span<const RefusalRow> refusal_rows() {
    return refusals;
}

const RefusalRow& row_of(Refusal refusal) {
    return refusals[static_cast<size_t>(refusal)];
}

std::span<const DepartureRow> departure_rows() {
    return departures;
}

const DepartureRow& row_of(const Departure& departure) {
    const auto* const row =
        std::find_if(departures.begin(), departures.end(), [&](const DepartureRow& candidate) {
            return candidate.reason == departure.reason &&
                   candidate.breakage == breakage_of(departure);
        });
    invariant(row != departures.end(), "a client left for a reason that has no row");
    return *row;
}

std::string text_of(const Departure& departure, std::chrono::milliseconds idle_timeout) {
    return fmt::format(fmt::runtime(row_of(departure).log_text),
        fmt::arg("error", std::strerror(departure.error)),
        fmt::arg("idle_seconds", static_cast<double>(idle_timeout.count()) / 1000));
}

} // namespace chatserv
