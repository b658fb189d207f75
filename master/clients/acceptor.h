// The acceptor: the listen sockets, and what happens to each connection that comes to them. It
// takes newcomers into the client book or turns them away, and pauses when the system has no
// descriptors or memory for them.
#pragma once

#include "master/clients/client_book.h"
#include "master/clients/listener.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

class Acceptor {
public:
    using Clock = std::chrono::steady_clock;

    struct Admitted {
        ClientId client;
        EntryId entry; // of the worker table, as chosen for it
    };
    // Chooses the entry that serves the next newcomer.
    using ChooseEntry = std::function<EntryId()>;

    // The listen sockets are open; no connection is accepted before start(). `listener_tag`: the
    // events of a socket have it, with the socket's index as its generation.
    // `keepalive_seconds`: as keep_alive() takes it; 0: none.
    Acceptor(EventQueue& events, ServedClock& clock, std::vector<Listener> listeners,
        Tag listener_tag, uint32_t keepalive_seconds);

    [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_; }

    // Begins to watch the listen sockets. Throws std::system_error.
    void start();
    // Closes the listen sockets.
    void stop();
    // True between start() and stop(), unless accepting is paused.
    [[nodiscard]] bool accepting() const { return started_ && !pause_; }

    // A listen socket is readable: accepts some of the connections that wait there, and returns
    // those that were taken in. The others were turned away.
    [[nodiscard]] std::vector<Admitted> accept(
        uint32_t listener, ClientBook& clients, const ChooseEntry& choose_entry);

    // Where accepting is paused: tries again, once a second, or at once after room_freed().
    [[nodiscard]] std::vector<Admitted> try_again(
        ClientBook& clients, const ChooseEntry& choose_entry);
    // A slot and a descriptor have become free.
    void room_freed();
    // When try_again() is due; nothing where accepting is not paused. The caller bounds its sleep
    // by this instant: a timer would need a descriptor, and there may be none.
    [[nodiscard]] std::optional<Clock::time_point> next_try() const;

private:
    [[nodiscard]] Tag tag_of(uint32_t listener) const {
        return listener_tag_.with_generation(listener);
    }

    struct Pause {
        ServedClock::time_point begun;
        Clock::time_point retry_at;
    };

    [[nodiscard]] bool accept_from(const Listener& listener, ClientBook& clients,
        const ChooseEntry& choose_entry, std::vector<Admitted>& admitted);
    void pause(int error, Counters& counters);
    void resume();

    EventQueue& events_;
    ServedClock& clock_;
    std::vector<Listener> listeners_;
    Tag listener_tag_;
    uint32_t keepalive_seconds_;
    std::optional<Pause> pause_{};
    bool started_ = false;
};

} // namespace chatserv
