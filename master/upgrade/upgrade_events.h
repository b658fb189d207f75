// The log's events about upgrades.
#pragma once

#include "master/upgrade/upgrade_book.h"

#include <string>

namespace chatserv::events {

void upgrading(const std::string& program);
// The new program can go on with the server; the keeper becomes it.
void upgrade_tried(const std::string& program, const std::string& version);
void upgrade_serves(const std::string& version);
void upgraded(const UpgradeReport& report);
void upgrade_failed(const std::string& why);
// A signal has asked for one.
void upgrade_refused(const std::string& why);
// Keeper: a new program has failed, and this process becomes the former one again.
void upgrade_returns(const std::string& why);

} // namespace chatserv::events
