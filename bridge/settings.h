// What the master tells the bridge of its room, as one JSON object (start.h), and what the files
// hold that it names.
#pragma once

#include "bridge/engine/jetstream_settings.h"
#include "bridge/exchange.h"
#include "shared/ipc/bridge_status.h"
#include "shared/system/failure.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatserv {

struct BridgeSettings {
    JetStreamSettings jetstream{};
    std::chrono::milliseconds hang_limit{};
    Exchange::Settings exchange{};
};

// Reads the descriptor to its end, waiting for as long as that takes. Throws std::system_error.
[[nodiscard]] std::string all_of(int fd);

// Reads the files too, with the rights that the process has now. Throws Failure(exit_unusable) if
// one of them cannot be read, and std::runtime_error if the text is not the whole of what the
// master writes.
[[nodiscard]] BridgeSettings settings_in(std::string_view json);

} // namespace chatserv
