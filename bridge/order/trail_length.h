// How far back a host remembers the messages of the stream (trail.h). By itself, so that a test can
// have a shorter memory.
#pragma once

#include <cstddef>

namespace chatserv {

inline constexpr size_t trail_length_max = 4096; // messages

} // namespace chatserv
