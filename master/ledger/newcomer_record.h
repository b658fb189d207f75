// Newcomers in the ledger: connections that were accepted and not yet admitted or turned away.
#pragma once

#include "master/ledger/noted_fd.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace chatserv {

// A network address, or the process at the other end of a UNIX socket.
struct NotedAddress {
    uint8_t ip[16]{};     // network order; IPv4 in the first four bytes; of a process: pid, user
    uint32_t scope{};     // of an IPv6 address (RFC 4007), or 0
    uint16_t port{};      // host order
    uint8_t ip_version{}; // 4 or 6; 0: a process
    uint8_t unused{};
};

// How far a proxy's header is that stands before the bytes of a connection (header_reading.h).
enum class HeaderState : uint8_t {
    expected = 0, // it is to come, or has come and is unread
    taking = 1,   // it is known, and is taken out of the socket
    taken = 2,    // what is in the socket is the client's
};

// A connection that was accepted and not yet admitted or turned away. Each has a place of its own.
// A connection without a place is found by its absence from the ledger. Writer: master.
struct NewcomerRecord {
    NotedFd socket{};         // none: the place is free
    uint8_t role{};           // Role; stored before the socket, as the next two
    uint8_t proxied{};        // 1: a proxy's header says whose connection it is
    uint8_t header{};         // HeaderState
    uint8_t accounted{};      // 1: the kernel counts this socket's bytes
    uint32_t header_bytes{};  // valid unless the header is expected, as the following
    uint8_t unused[4]{};      //
    uint64_t consumed_base{}; // ByteCounts::consumed before the header; valid if `accounted`
    NotedAddress announced{}; // whose connection it is
};
// How many wait for their judgement, and how many for a proxy's header.
inline constexpr uint32_t newcomers_judged_max = 16;
inline constexpr uint32_t newcomers_waiting_max = 1024;
inline constexpr uint32_t newcomers_max = newcomers_judged_max + newcomers_waiting_max;

static_assert(sizeof(NotedAddress) == 24 && std::has_unique_object_representations_v<NotedAddress>);
static_assert(sizeof(NewcomerRecord) == 48 && std::is_trivially_copyable_v<NewcomerRecord>);
static_assert(offsetof(NewcomerRecord, consumed_base) == 16);

} // namespace chatserv
