// Service, the ways out: how a client that ended, failed, stalled or outlived the server leaves.
//
// The worker never shuts a connection down and never frees a slot: it lets go of its descriptor and
// tells the master, which frees the slot first and then shuts the connection down, so that whoever
// sees it closed finds the slot free (R5). A worker that dies before its word arrives leaves the
// slot closing (W6), and its successor comes to the same end.
#include "worker/service.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/system/kernel_account.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sys/socket.h>

namespace chatserv {

namespace {

constexpr std::chrono::milliseconds linger_check{20};

} // namespace

// Nothing more will come from this client. It is closed when all that did come is published.
void Service::end(Client& client, LeaveReason reason, int error) {
    client.phase = Client::Phase::ended;
    client.leave_reason = reason;
    client.leave_error = error;
    events_.unwatch_readable(client.fd.get());
    ended_.push_back(client.id);
    pass_needed_ = true;
}

// Its end takes its place in the total order: it gets what the log holds now.
void Service::begin_closing(Client& client) {
    const bool reachable = client.leave_reason != LeaveReason::read_error && !client.mute;
    const uint64_t close_at = reachable ? log_.head() : cursor_of(*client.slot).log_offset;
    crash_point(CrashPoint::end_seen); // W6
    store_release(client.slot->idled, client.leave_reason == LeaveReason::idle ? 1 : 0);
    users_.close(client.id, close_at);
    crash_point(CrashPoint::closing);
    client.phase = Client::Phase::closing;
    if (!reachable) {
        leave(client);
        return;
    }
    stalls_.add_farewell(client, clock_.now());
    arm_stall_timer();
    pass_needed_ = true;
}

void Service::delivered_all_to_closing(Client& client) {
    // A client that ended can send nothing more, so the kernel will deliver the rest by itself (and
    // one that was idle stays with the master for a moment, see Master::let_go). One that the
    // server leaves may be sending still, and bytes that arrive for a closed socket would have the
    // kernel reset the connection and throw away what the client has not got yet: so it is sent
    // EOF, and its bytes are swallowed until it has everything.
    if (client.leave_reason != LeaveReason::server_stopped) {
        leave(client);
        return;
    }
    const int fd = client.fd.get();
    client.phase = Client::Phase::lingering;
    const bool sent_eof = ::shutdown(fd, SHUT_WR) == 0;
    if (!sent_eof || unacknowledged_bytes(fd) == 0U ||
        events_.watch_readable(fd, tag_of(client.id)) != 0) {
        leave(client);
        return;
    }
    if (lingering_.empty())
        (void)events_.set_timer(linger_timer_ident, linger_check);
    lingering_.push_back(client.id);
}

void Service::discard_input(Client& client) {
    char unwanted[16 * 1024];
    const ssize_t got = ::recv(client.fd.get(), unwanted, sizeof unwanted, 0);
    const bool waiting = got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (got <= 0 && !waiting)
        leave(client);
}

// No event says that everything was acknowledged, so while anyone lingers the kernel is asked.
void Service::linger_timer() {
    std::erase_if(lingering_, [&](ClientId id) {
        Client* const client = roster_.find(id);
        if (client != nullptr && unacknowledged_bytes(client->fd.get()) == 0U)
            leave(*client);
        return roster_.find(id) == nullptr;
    });
    if (!lingering_.empty())
        (void)events_.set_timer(linger_timer_ident, linger_check);
}

void Service::finish() {
    finishing_ = true;
    roster_.for_each([&](Client& client) {
        if (client.phase == Client::Phase::talking)
            end(client, LeaveReason::server_stopped, 0);
    });
}

// Ends a client here and now, whatever it has not got.
void Service::drop(Client& client, LeaveReason reason, int error) {
    client.leave_reason = reason;
    client.leave_error = error;
    if (client.phase == Client::Phase::talking || client.phase == Client::Phase::ended)
        users_.close(client.id, cursor_of(*client.slot).log_offset);
    leave(client);
}

// Lets go of a client. The filters go first: the master's copy keeps the socket open, and with it
// their events. The cursor goes out of every appender's way, as the slot is not free yet; a
// successor that finds it there has nothing left to deliver.
void Service::leave(Client& client) {
    move_cursor(*client.slot, {cursor_of(*client.slot).bytes_written, log_offset_none});
    const int fd = client.fd.get();
    if (client.phase == Client::Phase::talking || client.phase == Client::Phase::lingering)
        events_.unwatch_readable(fd);
    if (client.write_filter != Client::WriteFilter::none)
        events_.unwatch_writable(fd);
    stalls_.remove(client.id);
    idle_.remove(client.id);
    closed_.push_back(
        {.client = client.id, .reason = client.leave_reason, .error = client.leave_error});
    roster_.remove(client);
    crash_point(CrashPoint::left_untold);
    pass_needed_ = true; // it may have been the last that blocked the room
}

} // namespace chatserv
