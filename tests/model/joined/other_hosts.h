// The other hosts of the model's room, which read all of the stream at once: one that talks, and
// those that join.
#pragma once

#include "bridge/order/order.h"
#include "tests/model/joined/stream_state.h"

#include <cstdint>
#include <string>

namespace chatserv::model {

// The incarnations of this host, and of the one that talks. Those above join later.
inline constexpr Incarnation incarnation_here = 1;
inline constexpr Incarnation incarnation_talking = 2;

// An order that has read nothing but the first message of the stream, with which this host has
// joined. The host that talks was there before.
[[nodiscard]] Order order_at_join(Incarnation incarnation, const StreamState& stream);

// What this host's join is.
[[nodiscard]] std::string join_of(Incarnation incarnation);
// The next message of the host that talks: what it says when it has read all of the stream.
[[nodiscard]] std::string next_word(const StreamState& stream, uint32_t number);

} // namespace chatserv::model
