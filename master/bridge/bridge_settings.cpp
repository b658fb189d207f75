#include "master/bridge/bridge_settings.h"

#include "shared/system/errors.h"

#include <cerrno>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace chatserv {

// A path may be in no known encoding; then the bridge says that it cannot be opened.
std::string bridge_settings(const Options& options) {
    const nlohmann::ordered_json settings{{"servers", options.join}, {"room", options.room},
        {"replicas", options.room_replicas},
        {"storage", options.room_storage == RoomStorage::memory ? "memory" : "file"},
        {"bytes", options.room_retention}, {"credentials", options.room_credentials},
        {"ca", options.room_ca}, {"certificate", options.room_certificate},
        {"key", options.room_key}, {"hang_limit_ms", options.hang_limit.count()},
        {"replay_lines", options.replay.lines}, {"replay_bytes", options.replay.bytes}};
    return settings.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// The options are bounded (room_options.h), so all of it fits into a pipe of any system.
UniqueFd pipe_with(const std::string& text) {
    FdPair pipe = make_pipe();
    const ssize_t written = ::write(pipe.second.get(), text.data(), text.size());
    if (written == -1)
        throw_errno("the bridge's settings");
    if (static_cast<size_t>(written) != text.size()) {
        errno = ENOBUFS;
        throw_errno("the bridge's settings");
    }
    return std::move(pipe.first);
}

} // namespace chatserv
