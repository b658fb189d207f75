#include "master/reload/listener_changes.h"

#include "master/clients/listeners.h"
#include "master/ledger/holdings.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <fmt/core.h>
#include <set>
#include <string>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

// The sockets that are in force, until a wanted value claims them.
class Claims {
public:
    explicit Claims(const std::vector<Listener>& present) : present_(present) {}

    // All sockets that this value has opened. False if there are none.
    bool claim_all_of(const ListenAddress& listen, std::vector<ListenerNote>& in_force) {
        bool any = false;
        for (const Listener& listener : present_)
            any |= listener.serves() == listen.text() &&
                   claim(listener, listen.text(), listen.role, listen.proxied, in_force);
        return any;
    }

    // A socket of this address, whichever value has opened it.
    bool claim_one(const Address& address, Families families, const ListenAddress& listen,
        std::vector<ListenerNote>& in_force) {
        const auto found = std::ranges::find_if(present_, [&](const Listener& listener) {
            return listener.listens_at(address, families) && !claimed_.contains(listener.number());
        });
        return found != present_.end() &&
               claim(*found, listen.text(), listen.role, listen.proxied, in_force);
    }

    // The sockets that a socket unit wants, whether or not a value asks for them too.
    void claim_handed_over(std::vector<ListenerNote>& in_force) {
        for (const Listener& listener : present_)
            if (listener.is_handed_over())
                (void)claim(listener, "", listener.handed_role(), false, in_force);
    }

    [[nodiscard]] std::vector<uint32_t> unclaimed() const {
        std::vector<uint32_t> numbers;
        for (const Listener& listener : present_)
            if (!claimed_.contains(listener.number()))
                numbers.push_back(listener.number());
        return numbers;
    }

private:
    bool claim(const Listener& listener, const std::string& value, Role role, bool proxied,
        std::vector<ListenerNote>& in_force) {
        if (!claimed_.insert(listener.number()).second)
            return false;
        in_force.push_back({.number = listener.number(),
            .serves = value,
            .role = role,
            .proxied = proxied,
            .is_handed_over = listener.is_handed_over(),
            .handed_role = listener.handed_role()});
        return true;
    }

    const std::vector<Listener>& present_;
    std::set<uint32_t> claimed_{};
};

// What is left of the value to be opened; no address if nothing is.
ListenAddress claim_addresses(
    ListenAddress listen, Claims& claims, std::vector<ListenerNote>& in_force) {
    if (listen.takes_ipv4_too) {
        const Address any = Address::any(AF_INET6, listen.port);
        if (claims.claim_one(any, Families::ipv4_too, listen, in_force))
            listen.addresses.clear();
        return listen;
    }
    if (listen.port != 0 || listen.host == ListenAddress::Host::local)
        std::erase_if(listen.addresses, [&](const Address& address) {
            return claims.claim_one(address, Families::own, listen, in_force);
        });
    return listen;
}

// A socket of this server may be in the way itself: 127.0.0.1:9999, where *:9999 is wanted now.
std::vector<Listener> open(const ListenAddress& listen, const std::vector<Listener>& present) {
    try {
        return make_listeners({listen});
    } catch (const Failure& failure) {
        const auto own = std::ranges::find_if(present,
            [&](const Listener& listener) { return listener.address().port() == listen.port; });
        if (own == present.end() || listen.port == 0)
            throw;
        throw Failure(failure.exit_status(),
            fmt::format("cannot listen on {} while this server listens on {}{}", listen.text(),
                own->text(),
                own->is_handed_over() ? ", as the service manager wants: change its socket unit"
                                      : ": a restart is needed"));
    }
}

} // namespace

ListenerChanges plan_listeners(const std::vector<Listener>& present,
    const std::vector<ListenAddress>& wanted, const Ledger& ledger) {
    ListenerChanges changes;
    Claims claims(present);
    std::vector<ListenAddress> others;
    for (const ListenAddress& listen : wanted)
        if (!claims.claim_all_of(listen, changes.in_force))
            others.push_back(listen);
    for (ListenAddress& listen : others) {
        listen = claim_addresses(std::move(listen), claims, changes.in_force);
        if (listen.addresses.empty())
            continue;
        std::ranges::move(open(listen, present), std::back_inserter(changes.opened));
    }
    claims.claim_handed_over(changes.in_force);
    if (present.size() + changes.opened.size() > listeners_max)
        throw Failure(EX_USAGE, fmt::format("at most {} addresses can be listened on, the former "
                                            "ones included until the reload is complete",
                                    listeners_max));
    uint32_t number = 0;
    for (Listener& listener : changes.opened) {
        while (Holdings(ledger).find(Holding::listener, number) != -1)
            ++number;
        listener.note_number(number);
        changes.in_force.push_back({.number = number++,
            .serves = listener.serves(),
            .role = listener.role(),
            .proxied = listener.proxied()});
    }
    changes.unwanted = claims.unclaimed();
    return changes;
}

} // namespace chatserv
