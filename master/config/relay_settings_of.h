// What the options say about relaying, as the workers are told it.
#pragma once

#include "master/config/options.h"
#include "shared/segment/settings_records.h"

namespace chatserv {

// `idle_changed_ns` of it is 0.
[[nodiscard]] RelaySettings relay_settings_of(const Options& options);

// Throws Failure(EX_USAGE) if the options of framing cannot be in force together.
void check_framing(const Options& options);
// They can be in force together.
[[nodiscard]] FramingSettings framing_settings_of(const Options& options);

} // namespace chatserv
