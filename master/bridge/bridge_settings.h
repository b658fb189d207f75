// What the bridge is told of its room when it starts: one JSON object, through a pipe.
//
// It does not go through the arguments, which other users of the machine can read: the address of a
// server may hold a password.
#pragma once

#include "master/config/options.h"
#include "shared/system/fd.h"

#include <string>

namespace chatserv {

// {"servers":["nats://..."],"room":"NAME","replicas":1,"storage":"file"|"memory","bytes":N,
//  "credentials":PATH,"ca":PATH,"certificate":PATH,"key":PATH,"hang_limit_ms":N,"replay_lines":N,
//  "replay_bytes":N}, paths or "".
[[nodiscard]] std::string bridge_settings(const Options& options);

// The reading end of a pipe that holds this text, and then the end. Throws std::system_error.
[[nodiscard]] UniqueFd pipe_with(const std::string& text);

} // namespace chatserv
