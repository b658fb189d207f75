// The only place where a test waits: a poll(2) loop over everything that the test holds.
//
// All descriptors are non-blocking and watched here, so waiting for one of them serves the others:
// the loop reads a server's log while it waits for a client, and no pipe ever fills up. A wait is
// for a condition, never for a length of time; only giving up has a time.
#pragma once

#include "shared/system/fd.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <poll.h>
#include <string_view>
#include <vector>

namespace chatserv::test {

// The time after which a wait fails. Reached only when something is broken.
constexpr std::chrono::seconds patience{60};

class Loop {
public:
    // Something with one descriptor to be watched; registered from construction to destruction,
    // neither of which may happen inside ready().
    class Source {
    public:
        explicit Source(Loop& loop);
        virtual ~Source();
        Source(const Source&) = delete;
        Source& operator=(const Source&) = delete;

        // The descriptor and events that poll(2) watches now; a descriptor of -1 for none.
        [[nodiscard]] virtual pollfd interest() const = 0;
        virtual void ready(short events) = 0;

    protected:
        [[nodiscard]] Loop& loop() const { return loop_; }

    private:
        Loop& loop_;
    };

    // For its lifetime SIGPIPE is ignored and SIGCHLD ends a wait in poll(2): one loop at a time.
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Serves the ready sources; waits up to `timeout` for the first one.
    void turn(std::chrono::milliseconds timeout);

    // Turns until the condition holds. Throws std::runtime_error naming `what` when it does not.
    void wait_until(const std::function<bool()>& condition, std::string_view what);

private:
    std::vector<Source*> sources_;
    std::vector<pollfd> polled_;
    struct sigaction former_child_action_ {};
    struct sigaction former_pipe_action_ {};
    FdPair child_signal_;
    std::unique_ptr<Source> child_watch_;
};

} // namespace chatserv::test
