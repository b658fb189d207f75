// What the events of the master's kqueue are about.
#pragma once

#include "shared/system/event_queue.h"

#include <cstdint>

namespace chatserv {

// The idents of the master's timers.
inline constexpr uintptr_t lingering_timer = 1;
inline constexpr uintptr_t stop_timer = 2;

// What the events of the master's kqueue are about.
enum class Watched : uint8_t {
    listener = 1, // generation: its number
    channel = 2,  // generation: the worker's pid
    lingering = 3,
    control = 4,
    signals = 5,
    reload = 6,  // the process that reads the options again has said something
    source = 7,  // index: its place among the sources; its process has said something
    proxied = 8, // a connection whose proxy has yet to say whose it is
};

// An event of a timer or of an exit has no tag.
[[nodiscard]] inline bool is_listener(const EventQueue::Event& event) {
    return is_readable(event) && tag_of(event).kind<Watched>() == Watched::listener;
}

} // namespace chatserv
