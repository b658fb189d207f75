// The acceptor: the listen sockets, and what happens to each connection that comes to them. It
// takes newcomers into the client book or turns them away, and pauses when the system has no
// descriptors or memory for them. A newcomer of a `proxy:` address waits until its proxy has said
// whose connection it is, and is judged by that.
#pragma once

#include "master/clients/client_book.h"
#include "master/clients/listener.h"
#include "master/clients/proxied_newcomers.h"
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

    // The listen sockets are open and outlive this object; no connection is accepted before
    // start(). `listener_tag`: the events of a socket have it, with the socket's number as its
    // generation. `proxied_tag`: those of a connection whose proxy is waited for have it.
    // `keepalive_seconds`: as keep_alive() takes it; 0: none.
    Acceptor(EventQueue& events, ServedClock& clock, std::vector<Listener>& listeners,
        Tag listener_tag, Tag proxied_tag, uint32_t keepalive_seconds, ProxyTerms proxy_terms = {});

    [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_; }

    // Begins to watch the listen sockets. Throws std::system_error.
    void start();
    // Says in the log that users can come.
    void announce() const;
    // Closes the listen sockets, which are removed from the list, and the newcomers that are noted.
    void stop(Newcomers& newcomers);

    // Takes in a connection that the server has made to a source: no rule of admission concerns it.
    // There is room in the table. Nothing where the connection is gone: then it is closed.
    [[nodiscard]] std::optional<Admitted> admit_source(
        const Newcomer& newcomer, ClientBook& clients, const ChooseEntry& choose_entry) const;

    // Newcomers get this keepalive from now on, and proxies are believed on these terms.
    void follow(uint32_t keepalive_seconds, ProxyTerms proxy_terms) {
        keepalive_seconds_ = keepalive_seconds;
        proxied_.follow(std::move(proxy_terms));
    }
    // Begins to watch a numbered listen socket that is to be added, after start(). Returns 0, or an
    // errno: kqueue(2). One that is not added after all must be unwatched.
    [[nodiscard]] int watch(const Listener& listener) {
        return events_.watch_readable(listener.fd(), tag_of(listener));
    }
    void unwatch(const Listener& listener) { events_.unwatch_readable(listener.fd()); }
    // One more listen socket, which is watched.
    void add(Listener listener);
    // The value of --listen that this one serves from now on, the role of its clients, and whether
    // they are proxied.
    void note_serves(uint32_t number, const std::string& listen, Role role, bool proxied);
    // Closes one of the listen sockets. The connections that wait there are accepted before and
    // judged as accept() does; returns those that were taken in.
    [[nodiscard]] std::vector<Admitted> remove(
        uint32_t number, ClientBook& clients, const ChooseEntry& choose_entry);
    // True between start() and stop(), unless accepting is paused.
    [[nodiscard]] bool accepting() const { return started_ && !pause_; }

    // A listen socket is readable: accepts some of the connections that wait there, and returns
    // those that were taken in. The others were turned away.
    [[nodiscard]] std::vector<Admitted> accept(
        uint32_t number, ClientBook& clients, const ChooseEntry& choose_entry);

    // An event with the tag of proxied connections: judges the connection if it is known by now
    // whose it is.
    [[nodiscard]] std::vector<Admitted> hear(
        const EventQueue::Event& event, ClientBook& clients, const ChooseEntry& choose_entry);

    // Judges the newcomers that a dead master left, as accept() would:
    // after ClientBook::resume(), before the first accept().
    [[nodiscard]] std::vector<Admitted> judge_inherited(
        ClientBook& clients, const ChooseEntry& choose_entry);

    // Turns the proxied connections away that have waited too long. Where accepting is paused:
    // tries again, once a second, or at once after room_freed().
    [[nodiscard]] std::vector<Admitted> try_again(
        ClientBook& clients, const ChooseEntry& choose_entry);
    // A slot and a descriptor have become free.
    void room_freed();
    // When try_again() is due; nothing where accepting is not paused and no proxy is waited for.
    // The caller bounds its sleep by this instant: a timer would need a descriptor, and there may
    // be none.
    [[nodiscard]] std::optional<Clock::time_point> next_try() const;

private:
    [[nodiscard]] Tag tag_of(const Listener& listener) const {
        return listener_tag_.with_generation(listener.number());
    }

    struct Pause {
        ServedClock::time_point begun;
        Clock::time_point retry_at;
    };

    [[nodiscard]] bool accept_from(const Listener& listener, ClientBook& clients,
        const ChooseEntry& choose_entry, std::vector<Admitted>& admitted);
    [[nodiscard]] Admitted take_in(const Newcomers::Arrival& arrival, ClientBook& clients,
        const ChooseEntry& choose_entry) const;
    void judge(const Newcomers::Arrival& arrival, ClientBook& clients,
        const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) const;
    void begin(const Newcomers::Arrival& arrival, ClientBook& clients,
        const ChooseEntry& choose_entry, std::vector<Admitted>& admitted);
    void begin_inherited(Newcomers::Arrival arrival, ClientBook& clients,
        const ChooseEntry& choose_entry, std::vector<Admitted>& admitted);
    void judge_announced(const ProxiedNewcomers::Verdict& verdict, ClientBook& clients,
        const ChooseEntry& choose_entry, std::vector<Admitted>& admitted) const;
    void tune(const Newcomers::Arrival& arrival) const;
    void pause(int error, Counters& counters);
    void resume();

    EventQueue& events_;
    ServedClock& clock_;
    std::vector<Listener>& listeners_;
    Tag listener_tag_;
    uint32_t keepalive_seconds_;
    ProxiedNewcomers proxied_;
    std::optional<Pause> pause_{};
    bool started_ = false;
};

} // namespace chatserv
