// Proxied newcomers: connections that came to a `proxy:` address, until their proxy has said whose
// they are (proxy_header.h).
//
// A proxy must be trusted, and its header must come within the time limit. Nobody waits for it: a
// connection that waits has a filter of its own, no slot, and a place among the ledger's newcomers,
// so a successor goes on waiting for it, with the whole time limit anew. When all of these places
// are taken, the connection that has waited longest is turned away: a proxy that is silent keeps
// none from others.
//
// Nothing is read here. The caller takes the header of a connection that is announced, and judges
// it.
#pragma once

#include "master/clients/departures.h"
#include "master/clients/newcomers.h"
#include "master/clients/proxy_header.h"
#include "master/config/proxy_terms.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace chatserv {

class ProxiedNewcomers {
public:
    // `tag`: the events of the connections that wait have it.
    ProxiedNewcomers(EventQueue& events, ServedClock& clock, Tag tag, ProxyTerms terms) :
        events_(events), clock_(clock), tag_(tag), terms_(std::move(terms)) {}

    // Other terms from now on, also for those that wait.
    void follow(ProxyTerms terms) { terms_ = std::move(terms); }

    // What is to become of a connection: it is turned away, or its header is whole and names the
    // client. Where that is nobody, the peer is the proxy.
    struct Verdict {
        Newcomers::Arrival arrival; // the peer is the client
        std::optional<Refusal> refusal{};
        size_t header_bytes = 0;
    };

    // A connection has come, and its peer is the proxy. Nothing if it has to wait; then this object
    // watches it.
    [[nodiscard]] std::optional<Verdict> begin(const Newcomers::Arrival& arrival);
    // This event has this object's tag. Nothing if the connection goes on waiting.
    [[nodiscard]] std::optional<Verdict> handle(const EventQueue::Event& event);
    // One whose time is over, or one too many; nothing where there is none.
    [[nodiscard]] std::optional<Verdict> take_late();
    // The one that has waited longest, to free its descriptor; nothing where none waits.
    [[nodiscard]] std::optional<Verdict> take_oldest();
    // None of them is waited for any more.
    void forget_all();

    // When the caller is to call take_late() again; nothing where none waits.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_look() const;

private:
    struct Waiting {
        Newcomers::Arrival arrival;
        ServedClock::time_point since;
    };
    using Place = std::vector<Waiting>::iterator;

    [[nodiscard]] bool is_trusted(const Address& proxy) const;
    [[nodiscard]] static std::optional<Verdict> look(const Newcomers::Arrival& arrival, bool ended);
    void forget(Place place);

    EventQueue& events_;
    ServedClock& clock_;
    Tag tag_;
    ProxyTerms terms_;
    std::vector<Waiting> waiting_{}; // the longest first
};

} // namespace chatserv
