// Connections on their last line: a newcomer that is refused, or a client that was idle. Each reads
// why, and is closed in a way that lets it read that.
//
// A socket that is closed with unread input resets the connection, and the reset can overtake the
// line. So each of these connections is sent its line and an end of file, and its input is thrown
// away until it closes, its time is over, or too many others have come after it. No process waits
// for them.
//
// They are noted in the ledger. A successor keeps them, with patience anew (MW6). It sends the line
// only where the dead master had not noted that, and the kernel's account says that nothing was
// sent.
#pragma once

#include "master/clients/escrow.h"
#include "master/start/descriptor_limit.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace chatserv {

inline constexpr std::chrono::milliseconds lingering_time{1000};

class LingeringClose {
public:
    // `keep_account`: as in Escrow.
    LingeringClose(const Ledger& ledger, bool keep_account, EventQueue& events, ServedClock& clock,
        Tag tag, uintptr_t timer_ident);
    // Closes those that are left.
    ~LingeringClose() { close_all(); }
    LingeringClose(const LingeringClose&) = delete;
    LingeringClose& operator=(const LingeringClose&) = delete;

    [[nodiscard]] bool empty() const { return waiting_.empty(); }

    // Keeps the connections that a dead master left. Before any other call.
    void adopt();

    // What a connection was until now.
    enum class Connection { newcomer, client };

    // A free place, and what a transition writes into it for a connection that is to be told this
    // line, of at most sizeof(LingeringRecord::line) bytes.
    [[nodiscard]] LingeringPlace plan(int socket, std::string_view line, Connection so_far) const;
    // The transition is made: sends the line as far as the socket takes it at once, and begins to
    // close the connection. Where only the reserved descriptors are left, the oldest connection
    // here is closed for it.
    void begin(const LingeringPlace& planned);

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
    void say_line(LingeringRecord& record) const;
    void linger(uint32_t place);
    void close(uint32_t place);
    [[nodiscard]] int socket_of(uint32_t place) const { return number_of(records_[place].socket); }
    void arm_timer();
    [[nodiscard]] bool set_timer(ServedClock::duration time);

    std::span<LingeringRecord> records_;
    bool keep_account_;
    int any_fd_; // for has_descriptors_for_clients(): no client's, whose duplicate is a newcomer's
    EventQueue& events_;
    ServedClock& clock_;
    Tag tag_;
    uintptr_t timer_ident_;
    std::deque<uint32_t> waiting_;  // places, oldest first
    uint64_t next_order_ = 1;       //
    size_t timed_ = 0;              // how many of them the running timer was set for
    ServedClock::time_point due_{}; // when their time is over
};

} // namespace chatserv
