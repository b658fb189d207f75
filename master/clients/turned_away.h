// Connections that are not taken in, or not kept: told why, and closed in a way that lets them hear
// it.
//
// A socket closed with unread input resets the connection, and a reset can overtake the message. So
// each stays for a moment, sent EOF, its input swallowed, until it closes, its time is over, or too
// many others have come after it. Nothing here blocks, and nothing waits for these clients.
#pragma once

#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <deque>
#include <string_view>

namespace chatserv {

inline constexpr size_t turned_away_max = 64;
inline constexpr std::chrono::milliseconds turned_away_time{1000};

class TurnedAway {
public:
    TurnedAway(EventQueue& events, ServedClock& clock, Tag tag, uintptr_t timer_ident) :
        events_(events), clock_(clock), tag_(tag), timer_ident_(timer_ident) {}

    [[nodiscard]] bool empty() const { return waiting_.empty(); }

    // Sends the message as far as the socket takes it.
    void turn_away(UniqueFd socket, std::string_view message);

    // Closes the one that has been here longest, for the sake of its descriptor; false where there
    // is none.
    bool give_up_oldest();

    // EVFILT_READ with this object's tag, on this descriptor.
    void readable(int fd);
    // This object's timer: the time of all that were here when it was set is over, unless this
    // server stood still meanwhile.
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
    size_t timed_ = 0;              // of them, those that the running timer was set for
    ServedClock::time_point due_{}; // when their time is over
};

} // namespace chatserv
