// The signals that the master acts on (kqueue's EVFILT_SIGNAL), none of which interrupts it.
//
// A master with a keeper gets the signals of the server from it, and hears only SIGCHLD itself: the
// keeper sends that too. A signal that a terminal or a service manager sends to every process, or
// that a user sends to the master's own pid, is not acted on twice. A master without a keeper is
// the process that the user started, and hears them all.
//
// The signals have a kqueue to themselves, which the master's own one watches. The Linux layer asks
// the system for the disposition of each signal before it lets a kqueue sleep that has signals in
// it. The master wakes up once a second for the heartbeats, and that must cost no more than waking
// up.
#pragma once

#include "master/keeper/keeper_link.h"
#include "shared/system/event_queue.h"

#include <cstdint>
#include <vector>

namespace chatserv {

class SignalWatch {
public:
    // `tag`: of the event that tells of signals. `keeper`: null for none. Throws std::system_error.
    SignalWatch(EventQueue& events, Tag tag, KeeperLink* keeper);

    struct Arrived {
        int signal;
        uint32_t count; // since it was taken last; SIGCHLD stands for any number of exits
    };
    // Those that came since, and with a keeper also those that came before.
    [[nodiscard]] std::vector<Arrived> take();
    // The signal was acted on, or is about to be; KeeperLink::note_taken() says which and when.
    void note_taken(const Arrived& arrived);

private:
    void watch_server_signals();

    EventQueue signals_;
    KeeperLink* keeper_;
};

} // namespace chatserv
