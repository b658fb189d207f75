// The log's events about clients and listen sockets. docs/operating.md lists them.
#pragma once

#include "master/clients/departures.h"
#include "master/clients/listener.h"
#include "master/config/address.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace chatserv::events {

// Listen sockets.
void no_address(const Address& address, const char* family);
void two_sockets(const std::string& listen);
void ports_differ(const std::string& listen);
void listening(const Listener& listener);
// `counts_reads`: see kernel_account.h.
void unix_account(bool counts_reads);
void listens_no_more(const Listener& listener);
void how_to_join(const std::string& command);

// Newcomers.
void accept_paused(int error);
void accept_resumed(std::chrono::duration<double> paused);
// `untold`: how many more were turned away of which the log has not told.
void turned_away(const Address& peer, Refusal why, uint64_t untold);

// Clients. `entry`: of the worker table; the log names its worker, which is one more.
void joined(ClientId client, const Address& peer, Role role, EntryId entry);
void throttled(ClientId client, uint32_t max_rate_bytes);
void left(ClientId client, const Departure& why, std::chrono::milliseconds idle_timeout);

} // namespace chatserv::events
