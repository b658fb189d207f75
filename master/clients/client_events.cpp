#include "master/clients/client_events.h"

#include "shared/system/logging.h"

#include <algorithm>
#include <cstring>
#include <fmt/core.h>

namespace chatserv::events {

namespace {

struct OriginRow {
    Listener::Origin origin;
    const char* name;
    const char* text;
};
constexpr OriginRow origins[] = {
    {Listener::Origin::opened, "opened", ""},
    {Listener::Origin::handed_over, "handed_over", " (handed over by the service manager)"},
    {Listener::Origin::kept, "kept", " (kept by the service manager since the last start)"},
};

const OriginRow& row_of(Listener::Origin origin) {
    return *std::ranges::find(origins, origin, &OriginRow::origin);
}

struct RoleRow {
    Role role;
    const char* listener_text;
    const char* user_text;
};
constexpr RoleRow roles[] = {
    {Role::talk, "", ""},
    {Role::listen, ", for users who only listen", ", only to listen"},
    {Role::speak, ", for users who only speak", ", only to speak"},
    {Role::resume, ", for users who resume", ", to resume"},
};

const RoleRow& row_of(Role role) {
    return *std::ranges::find(roles, role, &RoleRow::role);
}

} // namespace

void no_address(const Address& address, const char* family) {
    log_warning("no_address",
        fmt::format("not listening on {}: this machine has no {}", address.text(), family),
        {{"address", address.text()}});
}

void two_sockets(const std::string& listen) {
    log_info("two_sockets",
        fmt::format("{} takes two sockets: this system has none for IPv4 and IPv6 at once", listen),
        {{"listen", listen}});
}

void ports_differ(const std::string& listen) {
    log_warning("ports_differ",
        fmt::format("no port is free at every address of {}: each takes one of its own", listen),
        {{"listen", listen}});
}

void listening(const Listener& listener) {
    const OriginRow& origin = row_of(listener.origin());
    log_info("listening",
        fmt::format("listening on {}{}{}{}", listener.text(), row_of(listener.role()).listener_text,
            listener.proxied() ? ", behind proxies" : "", origin.text),
        {{"address", listener.address().text()}, {"origin", origin.name},
            {"role", std::string(name_of(listener.role()))},
            {"proxied", listener.proxied() ? "yes" : "no"}});
}

void unix_account(bool counts_reads) {
    log_info("unix_account",
        fmt::format("the kernel does not count what is written to UNIX sockets{}: if a worker that "
                    "dies was writing to a user of one{} at that instant, that user is "
                    "disconnected; all others stay",
            counts_reads ? "" : " or read from them", counts_reads ? "" : " or reading from it"));
}

void listens_no_more(const Listener& listener) {
    log_info("listens_no_more",
        fmt::format("{} is closed: --listen does not name it any more", listener.text()),
        {{"address", listener.address().text()}});
}

void how_to_join(const std::string& command) {
    log_info("how_to_join",
        fmt::format("try it from another terminal: {} (Ctrl-C leaves)", command),
        {{"command", command}});
}

void accept_paused(int error) {
    log_warning("accept_paused",
        fmt::format("cannot accept: {}; new connections wait until a user leaves or resources are "
                    "free again",
            std::strerror(error)),
        {{"error", std::strerror(error)}});
}

void accept_resumed(std::chrono::duration<double> paused) {
    log_info("accept_resumed", fmt::format("accepting again, after {:.1f} s", paused.count()),
        {{"seconds", paused.count()}});
}

void turned_away(const Address& peer, Refusal why, uint64_t untold) {
    const RefusalRow& row = row_of(why);
    const std::string address = peer.text();
    const auto log = row.log_rate == LogRate::debug ? log_debug : log_info;
    const std::string others =
        untold == 0 ? "" : fmt::format(" ({} more since the last such line)", untold);
    log("turned_away", fmt::format("{}: {} turned away{}", row.log_text, address, others),
        {{"address", address}, {"reason", row.name}, {"untold", static_cast<int64_t>(untold)}});
}

void joined(ClientId client, const Address& peer, Role role, EntryId entry) {
    const std::string address = peer.text();
    log_info("joined",
        fmt::format("user {} joined from {} on worker {}{}", index_of(client.slot), address,
            number_of(entry), row_of(role).user_text),
        {{"slot", index_of(client.slot)}, {"generation", client.generation}, {"address", address},
            {"role", std::string(name_of(role))}, {"worker", number_of(entry)}});
}

void throttled(ClientId client, uint32_t max_rate_bytes) {
    log_info("throttled",
        fmt::format("user {} is sending faster than {} bytes a second", index_of(client.slot),
            max_rate_bytes),
        {{"slot", index_of(client.slot)}, {"generation", client.generation},
            {"max_rate_bytes", max_rate_bytes}});
}

// An overwritten slot means that a worker, or an intruder in one, wrote what it must not.
void left(ClientId client, const Departure& why, std::chrono::milliseconds idle_timeout) {
    const auto log = why.reason == LeaveReason::overwritten ? log_error : log_info;
    log("left", fmt::format("user {} left: {}", index_of(client.slot), text_of(why, idle_timeout)),
        {{"slot", index_of(client.slot)}, {"generation", client.generation},
            {"reason", row_of(why).name}});
}

} // namespace chatserv::events
