#include "bridge/engine/session_opening.h"

#include <atomic>
#include <thread>
#include <utility>

namespace chatserv {
namespace {

std::atomic<int> threads = 0;

} // namespace

std::shared_ptr<SessionOpening> SessionOpening::start(
    const std::shared_ptr<NatsSession>& session, const StreamPlace& place) {
    auto opening = std::make_shared<SessionOpening>();
    if (++threads > left_alone_max) {
        --threads;
        opening->finish({.trouble = "servers hang"});
        return opening;
    }
    // It has the signals of the thread that calls: none. It may outlive the engine, so it shares
    // nothing of it.
    std::thread([opening, session = session, place]() mutable {
        opening->finish(session->open(place));
        session.reset();
        nats_ReleaseThreadMemory();
        --threads;
    }).detach();
    return opening;
}

NatsSession::Opened SessionOpening::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [this] { return given_up_ || opened_; });
    return opened_.value_or(NatsSession::Opened{.trouble = "the server does not answer"});
}

void SessionOpening::give_up() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    changed_.notify_all();
}

void SessionOpening::finish(NatsSession::Opened opened) {
    const std::lock_guard lock(mutex_);
    opened_ = std::move(opened);
    changed_.notify_all();
}

} // namespace chatserv
