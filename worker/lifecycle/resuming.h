// Clients that resume (Role::resume): each says in its first line from which byte of the log on it
// wants to be sent, is told where it begins (resume_line.h), and listens from then on.
//
// Until then the client's cursor is at no offset, so it is in nobody's way. Its first line is
// looked at and left in its socket (MSG_PEEK) until the client has a place in the log. So there is
// nothing that a death of this worker could lose: a successor finds the same line. Then it is
// thrown away, as all that such a client sends. A client that says nothing for `patience` is served
// from now on, and so is one that ends its input: `nc` without a word, or with its input closed,
// just listens.
//
// The place is found under the log's lock, like a newcomer's (log_replay.h).
//
// W9: the answer is noted before the cursor is placed, and placing it is the commit. A worker that
// dies before that leaves a client that is asked again. One that dies after it leaves a client that
// has been sent some of its answer, as many bytes as its cursor counts, or the kernel's account
// does; the cursor's offset, and with it the answer, stays as it is until all of it is sent.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/log_replay.h"
#include "worker/clients/roster.h"
#include "worker/lifecycle/reading.h"
#include "worker/limits/deadlines.h"
#include "worker/limits/one_shot_timer.h"
#include "worker/relay/resume_line.h"

#include <chrono>
#include <optional>
#include <vector>

namespace chatserv {

class Resuming {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds patience{5};

    Resuming(const Segment& segment, EntryId entry, EventQueue& events, const Doorbells& doorbells);

    // Whether the client has no place in the log yet.
    [[nodiscard]] static bool waits(const Client& client) {
        return client.role == Role::resume && client.phase == Client::Phase::talking &&
               cursor_of(*client.slot).log_offset == log_offset_none;
    }
    // The answer that an adopted client is yet to be sent.
    [[nodiscard]] static Answer answer_due(const Client& client);

    // The client was attached, and waits().
    void add(ClientId client) { patience_.set(client, Clock::now() + patience); }
    // Something has come from a client that waits(). It leaves if its first line is wrong, or if
    // its connection is broken.
    [[nodiscard]] std::optional<Reading::End> look(const Client& client);
    // The timer has gone off: the clients that have said nothing for too long, to be look()ed at
    // once more and then to be served_from_now().
    [[nodiscard]] std::vector<ClientId> take_due(Clock::time_point now);
    void serve_from_now(const Client& client) { ask(client.id, {}); }
    void arm_timer() {
        timer_.arm(patience_.earliest(), [] { return Clock::now(); });
    }
    // The client has left, or another worker serves it.
    void forget(ClientId client) { patience_.remove(client); }

    // Gives a place in the log to those that have said where. Returns them: they are sent their
    // answer and the log from now on. Nothing if another worker holds the log's lock.
    [[nodiscard]] std::optional<std::vector<Client*>> place(const Roster& roster);

private:
    struct Asked {
        ClientId client;
        ResumeRequest request;
    };

    void ask(ClientId client, const ResumeRequest& request);
    void place(Client& client, const ResumeRequest& request) const;
    [[nodiscard]] bool holds(const ResumeRequest& request) const;

    EntryId entry_;
    BroadcastLog log_;
    LogReplay replay_;
    LogControl* log_control_;
    const Doorbells& doorbells_;
    std::vector<Asked> asked_;
    Deadlines<Clock> patience_; // of those that have not said anything
    OneShotTimer<Clock> timer_;
};

} // namespace chatserv
