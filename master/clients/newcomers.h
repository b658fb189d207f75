// Newcomers: the connections that accept(2) has returned and that were neither admitted nor turned
// away yet. Their descriptors are the ledger's, so that a master that dies between accept(2) and
// its judgement loses none of them.
//
// MW1: a connection that accept(2) has returned and nothing has noted is in the descriptor table
// all the same. The successor finds it there (inheritance.h).
// MW2: a connection that is noted here is judged by the successor.
#pragma once

#include "master/clients/header_reading.h"
#include "master/clients/listener.h"
#include "master/config/address.h"
#include "master/ledger/ledger.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace chatserv {

// A connection that is not judged yet. Its descriptor is the ledger's.
struct Newcomer {
    int socket;
    uint32_t place = place_none; // among the ledger's newcomers; place_none: it has no place
    Role role = Role::talk;      // of its listener, or of its source
    uint8_t source = 0;          // number of the source that it is; 0: it came to a listener
    bool proxied = false;        // a proxy's header says whose connection it is
    bool by_path = false;        // it came to a UNIX socket; known once it is prepared
};

class Newcomers {
public:
    // `keep_account`: as in Escrow.
    Newcomers(const Ledger& ledger, bool keep_account) :
        records_(ledger.newcomers()), keep_account_(keep_account) {}
    // Closes those that are left.
    ~Newcomers() { drop_all(); }
    Newcomers(const Newcomers&) = delete;
    Newcomers& operator=(const Newcomers&) = delete;

    // A newcomer that is ready to be judged.
    struct Arrival {
        Newcomer newcomer;
        Address peer; // never an IPv4 address mapped to IPv6
    };
    // The next connection, noted. Nothing where there is none; errno is then as of
    // Listener::accept(). A connection that is gone already is passed over.
    [[nodiscard]] std::optional<Arrival> accept(const Listener& listener);

    // Notes a connection that accept(2) has returned. Where all places are taken it gets none: a
    // successor finds it as one that was never noted. `role`, `proxied`: of the listener that it
    // came to.
    Newcomer note(int socket, Role role = Role::talk, bool proxied = false);
    // Prepares a newcomer for its judgement: its descriptor becomes close-on-exec and non-blocking.
    // A newcomer that a dead master left is prepared again, since nothing says how far that master
    // came. Nothing where the connection is gone: then it is closed.
    [[nodiscard]] std::optional<Arrival> prepare(const Newcomer& newcomer);

    // Takes the header of a proxied newcomer whose peer is the client that it announces. False if
    // its connection is broken, or if it has no place to note that.
    [[nodiscard]] bool take_header(const Arrival& arrival, size_t header_bytes);
    // The same of one that a dead master left, as far as that master had begun to. The peer becomes
    // the client if the header is taken.
    [[nodiscard]] InheritedHeader settle_header(Arrival& arrival);

    // Closes it unjudged.
    void drop(const Newcomer& newcomer);
    // Closes all that are noted.
    void drop_all();

    // Those that a dead master left.
    [[nodiscard]] std::vector<Newcomer> all() const;

private:
    std::span<NewcomerRecord> records_;
    bool keep_account_;
};

} // namespace chatserv
