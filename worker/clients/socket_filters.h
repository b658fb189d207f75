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
    // When a client's EVFILT_READ tells of its bytes. Of one that is not heard: while_unread.
    enum class Telling {
        while_unread, // as long as there are any
        when_new,     // when some have come, since an unfinished line is left in the socket
    };
    explicit SocketFilters(EventQueue& events, Telling telling = Telling::while_unread) :
        events_(events), telling_(telling) {}

    // EVFILT_READ of a client that was just attached.
    [[nodiscard]] int start_reading(const Client& client) const;
    // The same for a client whose first line stays in its socket until all of it is there: the
    // filter tells only when more has come. have_first_line(): from now on it is read.
    [[nodiscard]] int await_first_line(const Client& client) const;
    [[nodiscard]] int have_first_line(const Client& client) const;
    // A level-triggered filter that stayed enabled would report unread bytes again and again.
    void pause_reading(Client& client, Client::PauseReason reason) const;
    // With Telling::when_new: the filter has told of bytes that are still to be read, and tells of
    // them again.
    [[nodiscard]] int tell_again(const Client& client) const;
    // The client is read again if there is no other reason not to read it.
    [[nodiscard]] int resume_reading(Client& client, Client::PauseReason reason) const;
    // Nothing more is read from the client.
    void end_reading(const Client& client) const;
    // The client has sent end of file and stays: the filter tells once more, and then when the
    // state of the connection changes, as by a reset.
    [[nodiscard]] int await_reset(const Client& client) const;
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
    [[nodiscard]] bool tells_when_new(const Client& client) const;
    [[nodiscard]] int watch(const Client& client) const;

    EventQueue& events_;
    Telling telling_;
    bool stopped_reading_ = false;
};

} // namespace chatserv
