// The log's events about the bridge and its room. docs/operating.md lists them.
#pragma once

#include "shared/segment/room_words.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/types.h>

namespace chatserv::events {

void bridge_started(const std::string& room, pid_t pid);
void bridge_died(pid_t pid, const std::string& cause, std::chrono::milliseconds delay);
// Its successor has begun to work.
void bridge_taken_over(pid_t pid, double milliseconds);
// The master has ended a bridge that did nothing wrong.
void bridge_replaced(pid_t pid, const std::string& why);
void bridge_not_started(const std::string& why);
// The room on this host has ended, and the server stops for it.
void room_over(const std::string& room, OrderLoss loss);
// `users`: that were disconnected with something left to read.
void room_not_read(const std::string& room, uint64_t users);
// It could not be joined, and the server stops for it. The bridge has said why.
void room_unusable(const std::string& room);
// A stop goes on although this much of what was read is not in the room's order.
void room_not_told(uint64_t bytes);

} // namespace chatserv::events
