// The kernel's account of a connection: the bytes it has counted, for which there is no portable
// interface.
//
// One implementation per system: kernel_account_linux.cpp, kernel_account_freebsd.cpp, and
// kernel_account_none.cpp for the systems that keep no account or do not report it. Where nobody
// counts what is read from UNIX sockets, reads_uncounted.cpp says so.
#pragma once

#include <cstdint>
#include <optional>

namespace chatserv {

// The bytes that went through a socket, counted from an unspecified origin, which is the same for
// all readings of one socket. Only differences have a meaning, modulo byte_count_mask + 1.
struct ByteCounts {
    uint64_t written;  // accepted by write(2) and the like
    uint64_t consumed; // returned by read(2) and the like
};

// The significant bits of a difference of two counts.
extern const uint64_t byte_count_mask;

// Exact as long as no process reads from or writes to the socket meanwhile; the peer may send and
// acknowledge. Returns nothing if the system keeps no account of this socket. That can change: a
// connection that was reset may have no account any more.
[[nodiscard]] std::optional<ByteCounts> byte_counts(int socket);

// ByteCounts::written alone, of a TCP socket to which nothing was written yet and that was not shut
// down. Costs one system call. Returns nothing if the system keeps no account of this socket.
[[nodiscard]] std::optional<uint64_t> written_before_first_write(int socket);

// What was read from a UNIX socket is counted from an instant on at which the process says so, as
// nobody has counted it before. Whether the system does that, if this is such a socket.
[[nodiscard]] bool counts_reads(int socket);

// Begins to count: so many bytes were read until now. Meanwhile recv(2) with MSG_PEEK shows
// nothing. If that fails, reads_counted() has no number to return.
void count_reads(int socket, uint64_t read_before);

// Ends that: recv(2) with MSG_PEEK shows what is unread.
void count_reads_no_more(int socket);

// The bytes that were read from the socket in all, if it is at least `at_least` and not more than
// reads_between_counts more. The count stays. Returns nothing if the system does not count them.
inline constexpr uint64_t reads_between_counts = 1ULL << 29;
[[nodiscard]] std::optional<uint64_t> reads_counted(int socket, uint64_t at_least);

// The bytes (and FIN) written to this TCP socket that the peer has not acknowledged. Returns
// nothing if the system does not report it.
[[nodiscard]] std::optional<uint64_t> unacknowledged_bytes(int socket);

} // namespace chatserv
