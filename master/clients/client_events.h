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
void how_to_join(const std::string& command);

// Newcomers.
void accept_paused(int error);
void accept_resumed(std::chrono::duration<double> paused);
void turned_away(const Address& peer, Refusal why);

// Clients. `entry`: of the worker table; the log names its worker, which is one more.
void joined(ClientId client, const Address& peer, EntryId entry);
void throttled(ClientId client, uint32_t max_rate_bytes);
void left(ClientId client, const Departure& why, std::chrono::milliseconds idle_timeout);

} // namespace chatserv::events
