// The bridge's process: its kqueue and its loop. It carries a host's part of a room between the
// segment and the engine, shows that it is alive, and says how the room is.
//
// It holds nothing that could be lost: it may be killed at any instruction, and its successor goes
// on from what the segment holds (DESIGN, H2 and H3). It repairs nothing of other processes.
#pragma once

#include "bridge/engine/engine.h"
#include "bridge/reporter.h"
#include "bridge/room_pass.h"
#include "bridge/room_watch.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chatserv {

class Bridge {
public:
    // What it works with; all of it outlives the object.
    struct Parts {
        const Segment& segment; // joined
        Engine& engine;
        int lifeline;                  // its end of file: no process of the server is left
        int bell;                      // the reading end of the bridge's doorbell
        std::span<const FdPair> bells; // the writing ends of all entries' doorbells but its own
    };
    struct Settings {
        std::string room{};
        std::chrono::milliseconds hang_limit{};
        Exchange::Settings exchange{};
    };

    // Throws std::system_error if the system refuses a kqueue.
    Bridge(const Parts& parts, Settings settings);

    enum class End {
        server_ended,
        room_over,
    };
    // Works until one of these.
    [[nodiscard]] End run();

private:
    using Time = Exchange::Time;

    void look_at_room(Time now);
    void wait(Time now);
    void follow_engine();
    void handle(std::span<const EventQueue::Event> events);
    [[nodiscard]] std::chrono::nanoseconds time_to_sleep() const;

    const Segment& segment_;
    Engine& engine_;
    int lifeline_;
    Settings settings_;
    Doorbells doorbells_;
    Doorbell doorbell_;
    EventQueue events_;
    Reporter reporter_;
    bool is_successor_;
    RoomWatch watch_;
    RoomPass pass_;
    bool is_joined_;
    bool follows_engine_ = true;
    std::optional<End> end_;
};

} // namespace chatserv
