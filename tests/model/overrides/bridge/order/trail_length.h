// Stands in for bridge/order/trail_length.h where the order is compiled into the model, which
// copies a trail with each state of its process.
#pragma once

#include <cstddef>

namespace chatserv {

inline constexpr size_t trail_length_max = 16; // messages

} // namespace chatserv
