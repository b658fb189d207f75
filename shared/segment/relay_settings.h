// The settings of relaying, which the master can change while the workers relay.
//
// A change is all or nothing: a worker sees the former settings or the new ones, and a master that
// dies between two stores of a change leaves the former ones in force. No worker looks at the
// settings by itself, so they cost the relay nothing: a message tells it that they have changed,
// and a process that takes an entry reads them then.
#pragma once

#include "shared/segment/settings_records.h"

#include <optional>

namespace chatserv {

// A copy of the settings in force. Nothing if they are not possible, which no master writes: a
// faulty process has written there.
[[nodiscard]] std::optional<RelaySettings> settings_in_force(const SettingsControl& control);

// Puts these settings in force. Only the master calls it, and then tells every worker.
void put_in_force(SettingsControl& control, const RelaySettings& settings);

} // namespace chatserv
