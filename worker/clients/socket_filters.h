// What the worker's kqueue is asked to tell of each client's socket.
//
// A filter that is not needed is disabled, not deleted, as long as the client may need it again.
// The state of a client's filters is in its Client, so that no filter is changed twice.
#pragma once

#include "shared/system/event_queue.h"
#include "worker/clients/client.h"
#include "worker/clients/roster.h"

namespace chatserv {

// Functions that return an int return 0, or the errno of kevent(2).
class SocketFilters {
public:
    explicit SocketFilters(EventQueue& events) : events_(events) {}

    // EVFILT_READ of a client that was just attached.
    [[nodiscard]] int start_reading(const Client& client) const;
    // A level-triggered filter that stayed enabled would report unread bytes again and again.
    void pause_reading(Client& client, Client::PauseReason reason) const;
    // The client is read again if there is no other reason not to read it.
    [[nodiscard]] int resume_reading(Client& client, Client::PauseReason reason) const;
    // Nothing more is read from the client.
    void end_reading(const Client& client) const;
    // What the client still sends is read, to be thrown away.
    [[nodiscard]] int read_to_discard(const Client& client) const;
    // From now on no client is read.
    void stop_reading(Roster& roster);
    [[nodiscard]] bool stopped_reading() const { return stopped_reading_; }

    // EVFILT_WRITE stays enabled and tells each time that the socket, having been full, takes bytes
    // again. So a client that is always short of room does not cost a change of its filter for each
    // write. `anew`: adds the filter again, so that it also tells of a socket that has room now.
    [[nodiscard]] int wait_for_write(Client& client, bool anew) const;
    // The filter told of a socket that was not full, as the BSDs do at each acknowledgement.
    void end_waiting_for_write(Client& client) const;

    // Before the worker closes its descriptor: the master's copy keeps the socket open, and the
    // filters with it.
    void remove(const Client& client) const;

private:
    EventQueue& events_;
    bool stopped_reading_ = false;
};

} // namespace chatserv
