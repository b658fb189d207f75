// What the threads of an engine leave for the process's loop: messages, in order and bounded, and
// how the link is. A pipe wakes the loop. Each call may come from any thread, unless it says
// otherwise.
#pragma once

#include "bridge/engine/engine.h"
#include "shared/system/fd.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace chatserv {

class Mailbox {
public:
    static constexpr size_t held_bytes_max = 4 * 1024 * 1024; // then put() waits

    // Throws std::system_error without descriptors.
    Mailbox();

    // A *round* is what follows one replay(): messages and the link of an earlier one are dropped.
    using Round = uint64_t;
    [[nodiscard]] Round round() const;
    // Begins the next round, which is returned. The link has yet to be made.
    Round restart();
    // After this, put() returns false.
    void end();

    // Waits while the box is full. False: the round is over, and the message was dropped.
    [[nodiscard]] bool put(Round round, Delivery delivery);
    [[nodiscard]] std::optional<Delivery> take();

    void set_link(Round round, LinkState state, const std::string& trouble);
    [[nodiscard]] Link link() const;
    // A warning of this text is kept once in the box's life.
    void warn(const std::string& text);
    [[nodiscard]] std::optional<std::string> take_warning();

    // Makes fd() readable.
    void ring();
    [[nodiscard]] int fd() const { return pipe_.first.get(); }
    // Makes it unreadable, unless something is to be taken.
    void look();

private:
    // With the lock held.
    void change_link(LinkState state, const std::string& trouble);
    void ring_locked();

    mutable std::mutex mutex_;
    std::condition_variable room_;
    FdPair pipe_;
    bool rung_ = false;
    bool ended_ = false;
    Round round_ = 0;
    std::deque<Delivery> held_;
    size_t held_bytes_ = 0;
    std::set<std::string> warned_; // ... of
    std::deque<std::string> warnings_;
    Link link_{.state = LinkState::connecting, .since = std::chrono::steady_clock::now()};
};

} // namespace chatserv
