#include "master/clients/client_events.h"

#include "shared/system/logging.h"

#include <cstring>
#include <fmt/core.h>

namespace chatserv::events {

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
    log_info("listening", fmt::format("listening on {}", listener.text()),
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

void turned_away(const Address& peer, Refusal why) {
    const RefusalRow& row = row_of(why);
    const std::string address = peer.text();
    log_info("turned_away", fmt::format("{}: {} turned away", row.log_text, address),
        {{"address", address}, {"reason", row.name}});
}

void joined(ClientId client, const Address& peer, EntryId entry) {
    const std::string address = peer.text();
    log_info("joined",
        fmt::format("user {} joined from {} on worker {}", index_of(client.slot), address,
            number_of(entry)),
        {{"slot", index_of(client.slot)}, {"address", address}, {"worker", number_of(entry)}});
}

void throttled(ClientId client, uint32_t max_rate_bytes) {
    log_info("throttled",
        fmt::format("user {} is sending faster than {} bytes a second", index_of(client.slot),
            max_rate_bytes),
        {{"slot", index_of(client.slot)}, {"max_rate_bytes", max_rate_bytes}});
}

// An overwritten slot means that a worker, or an intruder in one, wrote what it must not.
void left(ClientId client, const Departure& why, std::chrono::milliseconds idle_timeout) {
    const auto log = why.reason == LeaveReason::overwritten ? log_error : log_info;
    log("left", fmt::format("user {} left: {}", index_of(client.slot), text_of(why, idle_timeout)),
        {{"slot", index_of(client.slot)}, {"reason", row_of(why).name}});
}

} // namespace chatserv::events
