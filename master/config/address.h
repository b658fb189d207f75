// Socket addresses, in the form that users write and in the form that the kernel takes: Internet
// addresses, and paths of UNIX sockets. A peer at a UNIX socket has no address; what the kernel
// tells of its process stands for it.
#pragma once

#include "shared/system/peer_user.h"

#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

namespace chatserv {

class Address {
public:
    Address() = default;

    // Parses "127.0.0.1:9999" or "[::1]:9999", also with a scope ("[fe80::1%eth0]:9999", RFC 4007).
    // Host and port must be numeric. Also "unix:/run/chat.sock". Nothing if `text` is none of
    // these, if this machine has no such scope, or if the path is too long.
    [[nodiscard]] static std::optional<Address> parse(const std::string& text);

    // The loopback address of the family: 127.0.0.1 (AF_INET) or ::1 (AF_INET6). any() is 0.0.0.0
    // or ::.
    [[nodiscard]] static Address loopback(int family, uint16_t port);
    [[nodiscard]] static Address any(int family, uint16_t port);

    // The address with these bytes in network order: 4 of them for IPv4, 16 for IPv6. `scope`: RFC
    // 4007, or 0.
    [[nodiscard]] static Address ipv4(const uint8_t* ip, uint16_t port);
    [[nodiscard]] static Address ipv6(const uint8_t* ip, uint32_t scope, uint16_t port);

    // The UNIX socket at an absolute path: unix(4), unix(7). Nothing if the path is none, or has
    // more than unix_path_bytes_max bytes.
    [[nodiscard]] static std::optional<Address> at_path(const std::string& path);
    static constexpr size_t unix_path_bytes_max = 103; // on every system

    // A peer at a UNIX socket: its process and that process's user, where the system says them.
    using Process = PeerProcess;
    [[nodiscard]] static Address of_process(const Process& process);

    // Nothing if the family is neither AF_INET nor AF_INET6.
    [[nodiscard]] static std::optional<Address> from(const sockaddr* other);

    // The address that the socket is bound to: getsockname(2). Throws std::system_error.
    [[nodiscard]] static Address of_socket(int fd);
    // The address that the accepted socket came from: getpeername(2), or the process at the other
    // end of a UNIX socket. Where the system can tell,
    // also of a connection that was reset meanwhile; otherwise nothing then.
    [[nodiscard]] static std::optional<Address> of_peer(int fd);

    // For calls that read or fill in an address: pass data() with size() or capacity().
    [[nodiscard]] sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage_); }
    [[nodiscard]] const sockaddr* data() const {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t size() const;
    static constexpr socklen_t capacity() { return sizeof(storage_); }

    [[nodiscard]] int family() const { return data()->sa_family; }
    // AF_UNIX: neither an IP address nor a port, and it is this machine's.
    [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
    [[nodiscard]] std::string path() const;
    [[nodiscard]] const Process& process() const { return process_; }
    // 0 of a UNIX socket.
    [[nodiscard]] uint16_t port() const;
    [[nodiscard]] Address with_port(uint16_t port) const;
    // Of an IPv6 address: RFC 4007.
    [[nodiscard]] uint32_t scope() const { return storage_.v6.sin6_scope_id; }
    // 0.0.0.0 or ::.
    [[nodiscard]] bool is_any() const;
    // In 127.0.0.0/8, or ::1, or a UNIX socket: the peer is on this machine.
    [[nodiscard]] bool is_loopback() const;
    // The IPv4 address, if this is one mapped to IPv6 (RFC 4291, 2.5.5.2), as a socket of both
    // families reports it; otherwise the same address.
    [[nodiscard]] Address unmapped() const;
    // In network order: 4 bytes for IPv4, 16 for IPv6. Not of a UNIX socket.
    [[nodiscard]] const uint8_t* ip_bytes() const;

    // The form that parse() takes; of a process: "unix:pid=77,uid=1000", as
    // far as the system tells it, or "unix" alone.
    [[nodiscard]] std::string text() const;

private:
    union {
        sockaddr_in v4;
        sockaddr_in6 v6;
        sockaddr_un local;
    } storage_{};
    Process process_{};
};

} // namespace chatserv
