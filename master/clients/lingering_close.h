// Connections on their last line: a newcomer that is refused, or a client that was idle. Each reads
// why, and is closed in a way that lets it read that.
//
// A socket that is closed with unread input resets the connection, and the reset can overtake the
// line. So each of these connections is sent its line and an end of file, and its input is thrown
// away until it closes, its time is over, or too many others have come after it. No process waits
// for them.
#pragma once

#include "master/start/descriptor_limit.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <deque>
#include <string_view>

namespace chatserv {

inline constexpr std::chrono::milliseconds lingering_time{1000};

class LingeringClose {
public:
    LingeringClose(EventQueue& events, ServedClock& clock, Tag tag, uintptr_t timer_ident) :
        events_(events), clock_(clock), tag_(tag), timer_ident_(timer_ident) {}

    [[nodiscard]] bool empty() const { return waiting_.empty(); }

    // Sends the line as far as the socket takes it at once, and begins to close the connection.
    // Where only the reserved descriptors are left, the oldest connection here is closed for it.
    void send_and_close(UniqueFd socket, std::string_view line);

    // Closes the connection that has been here longest, to free its descriptor. False where there
    // is none.
    bool close_oldest();

    // This descriptor, of an event with this object's tag, is readable.
    void readable(int fd);
    // This object's timer. Closes the connections that were here when it was set, unless the server
    // stood still meanwhile.
    void timer();

    void close_all();

private:
    void arm_timer();
    [[nodiscard]] bool set_timer(ServedClock::duration time);

    EventQueue& events_;
    ServedClock& clock_;
    Tag tag_;
    uintptr_t timer_ident_;
    std::deque<UniqueFd> waiting_;  // oldest first
    size_t timed_ = 0;              // how many of them the running timer was set for
    ServedClock::time_point due_{}; // when their time is over
};

} // namespace chatserv
