#include "worker/lifecycle/closing.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/room_state.h"
#include "shared/system/kernel_account.h"
#include "worker/lifecycle/departure_note.h"
#include "worker/limits/timers.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace chatserv {

namespace {

constexpr std::chrono::milliseconds linger_check{20};

// For these reasons a worker leaves a client whatever the client has not got.
bool is_disconnection(LeaveReason reason) {
    return reason == LeaveReason::write_error || reason == LeaveReason::stalled ||
           reason == LeaveReason::in_doubt || reason == LeaveReason::fell_behind ||
           reason == LeaveReason::room_unread;
}

// What it is sent last may still be on its way when its worker is done with it.
bool is_server_end(LeaveReason reason) {
    return reason == LeaveReason::server_stopped || reason == LeaveReason::room_over;
}

// One that has no place in the log, and is to be told that the room is over, gets one at its end.
// That comes before the slot is closing: a closing client without a place has left. Whoever dies in
// between leaves a client to which nothing is appended any more.
void give_place(UserSlot& slot, uint64_t head) {
    if (const Cursor cursor = cursor_of(slot); cursor.log_offset == log_offset_none)
        move_cursor(slot, {cursor.bytes_written, head});
}

// It has ended in order, and gets what comes before its last words.
bool hears_its_last_words(const Client& client) {
    return client.leave_reason == LeaveReason::end_of_file && client.hears() && !client.mute;
}

void pass_over_the_rest(UserSlot& slot) {
    move_cursor(slot, {cursor_of(slot).bytes_written, log_offset_none});
}

} // namespace

Closing::Closing(
    const Segment& segment, EventQueue& events, const SocketFilters& filters, Roster& roster) :
    segment_(segment),
    events_(events), filters_(filters), roster_(roster), users_(segment), log_(segment) {
    if (segment.joined())
        outbound_.emplace(segment);
}

void Closing::end(Client& client, LeaveReason reason, int error) {
    client.phase = Client::Phase::ended;
    client.leave_reason = reason;
    client.leave_error = error;
    filters_.end_reading(client);
    ended_.push_back(client.id);
    changed_ = true;
}

std::vector<Client*> Closing::close_ended() {
    std::vector<Client*> reachable;
    for (const ClientId id : std::exchange(ended_, {})) {
        Client* const client = roster_.find(id);
        if (client == nullptr || client->phase != Client::Phase::ended)
            continue;
        if (outbound_ && must_wait(*client)) {
            ended_.push_back(id);
            continue;
        }
        if (outbound_ && has_lost_words(*client))
            client->leave_reason = LeaveReason::room_over;
        if (begin_closing(*client))
            reachable.push_back(client);
    }
    return reachable;
}

// The end of a client comes behind its last bytes in the room's order, as it does in the log of a
// server that is alone: the client gets what others have sent before that (R5). A successor, which
// reads the end anew, waits for as much of the outbound log or more.
bool Closing::must_wait(const Client& client) const {
    return hears_its_last_words(client) && !finishing_ &&
           outbound_->counted() < client.outbound_end;
}

// What does not come back, as the room is over, is counted all the same, so that no sender waits
// for it. One whose last words are among that has not ended in order: it is told.
bool Closing::has_lost_words(const Client& client) const {
    const bool is_over =
        finishing_ == LeaveReason::room_over || load_acquire(segment_.room().report.loss) != 0;
    if (!is_over || !hears_its_last_words(client))
        return false;
    const RoomProgress progress = RoomStates(segment_).in_force().value_or(RoomProgress{});
    return progress.counted < client.outbound_end;
}

// The client's end takes its place in the total order: the client gets what the log holds now.
// Returns false if the client cannot be reached any more; then it has left.
bool Closing::begin_closing(Client& client) {
    const bool reachable = client.leave_reason != LeaveReason::read_error && !client.mute;
    const uint64_t close_at = reachable ? log_.head() : cursor_of(*client.slot).log_offset;
    crash_point(CrashPoint::end_seen); // W6
    note_departure(*client.slot, {.reason = client.leave_reason, .error = client.leave_error});
    if (reachable && client.gets_last_line())
        give_place(*client.slot, close_at);
    users_.close(client.id, close_at);
    crash_point(CrashPoint::closing);
    client.phase = Client::Phase::closing;
    changed_ = true;
    if (!reachable)
        leave(client);
    return reachable;
}

void Closing::carry_on(Client& client) {
    const Leaving noted = departure_noted(*client.slot);
    client.leave_reason = noted.reason;
    client.leave_error = noted.error;
    if (is_disconnection(noted.reason))
        pass_over_the_rest(*client.slot);
}

// A client that ended can send nothing more, so the kernel delivers the rest by itself. (The master
// keeps an idle client's socket for a moment.) A client that the server leaves may still be
// sending. Bytes that arrive for a closed socket would make the kernel reset the connection and
// throw away what the client has not got yet. So such a client is sent EOF, and what it sends is
// thrown away until it has everything.
void Closing::delivered_all(Client& client) {
    if (!is_server_end(client.leave_reason)) {
        leave(client);
        return;
    }
    const int fd = client.fd.get();
    client.phase = Client::Phase::lingering;
    const bool sent_eof = ::shutdown(fd, SHUT_WR) == 0;
    if (!sent_eof || unacknowledged_bytes(fd) == 0U || filters_.read_to_discard(client) != 0) {
        leave(client);
        return;
    }
    if (lingering_.empty())
        set_linger_timer();
    lingering_.push_back(client.id);
}

void Closing::discard_input(Client& client) {
    char unwanted[16 * 1024];
    const ssize_t got = ::recv(client.fd.get(), unwanted, sizeof unwanted, 0);
    const bool waiting = got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (got <= 0 && !waiting)
        leave(client);
}

// No event says that the peer has acknowledged everything, so the kernel is asked again and again
// while a client lingers.
void Closing::linger_timer() {
    std::erase_if(lingering_, [&](ClientId id) {
        Client* const client = roster_.find(id);
        if (client != nullptr && unacknowledged_bytes(client->fd.get()) == 0U)
            leave(*client);
        return roster_.find(id) == nullptr;
    });
    if (!lingering_.empty())
        set_linger_timer();
}

void Closing::set_linger_timer() const {
    (void)events_.set_timer(static_cast<uintptr_t>(Timer::linger), linger_check);
}

void Closing::send_away(std::span<const ClientId> clients) {
    for (const ClientId id : clients)
        if (Client* const client = roster_.find(id))
            send_away(*client);
}

void Closing::send_away(Client& client) {
    const bool is_source = client.slot->source != 0; // a slow line is no such reader
    if (client.write_blocked && client.phase != Client::Phase::lingering && !is_source)
        drop(client, LeaveReason::kicked, 0);
    else if (client.phase == Client::Phase::talking)
        end(client, LeaveReason::kicked, 0);
    else if (outbound_ && client.phase == Client::Phase::ended)
        client.leave_reason = LeaveReason::kicked; // it waits no longer
}

void Closing::finish(LeaveReason reason) {
    roster_.for_each([&](Client& client) {
        if (client.phase == Client::Phase::talking)
            end(client, reason, 0);
    });
    finishing_ = reason;
}

// A client that only listens can end its input and go on; that it has gone shows in a write.
LeaveReason Closing::reason_of_failed_write(const Client& client, int error) {
    const bool has_gone = client.input_ended && (error == EPIPE || error == ECONNRESET);
    return has_gone ? LeaveReason::end_of_file : LeaveReason::write_error;
}

void Closing::drop(Client& client, LeaveReason reason, int error) {
    client.leave_reason = reason;
    client.leave_error = error;
    note_departure(*client.slot, {.reason = reason, .error = error});
    crash_point(CrashPoint::departure_noted); // W6, if it is closing
    if (client.phase == Client::Phase::talking || client.phase == Client::Phase::ended)
        users_.close(client.id, cursor_of(*client.slot).log_offset);
    leave(client);
}

// The cursor goes out of every appender's way, since the slot is not free yet. A successor that
// finds it there has nothing left to deliver.
void Closing::leave(Client& client) {
    pass_over_the_rest(*client.slot);
    filters_.remove(client);
    closed_.push_back(
        {.client = client.id, .reason = client.leave_reason, .error = client.leave_error});
    roster_.remove(client);
    crash_point(CrashPoint::left_untold); // W6
    changed_ = true; // the client may have been the last that blocked the room in the log
}

} // namespace chatserv
