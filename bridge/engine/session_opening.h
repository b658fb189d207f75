// The opening of a session with a time limit. The library waits without one for a server that has
// taken a connection and then hangs, and nothing can end that wait from outside. So a thread of its
// own opens the session; if it takes too long, it is left alone with it, and ends when the server
// goes on or dies.
#pragma once

#include "bridge/engine/nats_session.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

namespace chatserv {

class SessionOpening {
public:
    static constexpr std::chrono::seconds limit{8}; // the library's own limits are shorter together
    static constexpr int left_alone_max = 8;        // of one process; then no session is opened

    // Opens the session in a thread, or gives up at once if too many are left alone. Throws
    // std::system_error without threads.
    [[nodiscard]] static std::shared_ptr<SessionOpening> start(
        const std::shared_ptr<NatsSession>& session, const StreamPlace& place);

    // What became of it, after the limit at the latest.
    [[nodiscard]] NatsSession::Opened wait();
    // Ends wait(). May be called by another thread.
    void give_up();

private:
    void finish(NatsSession::Opened opened);

    std::mutex mutex_;
    std::condition_variable changed_;
    bool given_up_ = false;
    std::optional<NatsSession::Opened> opened_;
};

} // namespace chatserv
