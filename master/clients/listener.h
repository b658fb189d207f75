// A listen socket.
#pragma once

#include "master/config/address.h"
#include "shared/system/fd.h"

#include <optional>
#include <string>
#include <system_error>

namespace chatserv {

// Which connections come to a socket of an IPv6 address: IPV6_V6ONLY, RFC 3493, 5.3.
enum class Families { own, ipv4_too };

// The system has no sockets of both families. OpenBSD is such a system.
struct NoDualStack : std::system_error {
    using std::system_error::system_error;
};

class Listener {
public:
    // `families` concerns [::] only. Throws std::system_error with the errno of the call that
    // failed, NoDualStack where there is IPv6 but no socket for both families.
    explicit Listener(const Address& address, Families families = Families::own);

    [[nodiscard]] int fd() const { return socket_.get(); }
    // With the port that the system chose, where 0 was asked for.
    [[nodiscard]] const Address& address() const { return address_; }
    // The address as the log says it; [::] with the families that it stands for.
    [[nodiscard]] std::string text() const;

    struct Accepted {
        UniqueFd socket; // non-blocking, close-on-exec
        Address peer;    // never an IPv4 address mapped to IPv6
    };
    // accept(2): the next connection, or nothing. errno is then EAGAIN where no connection waits,
    // or says why the call failed. A connection that was gone before it was accepted is passed
    // over.
    [[nodiscard]] std::optional<Accepted> accept() const;

private:
    UniqueFd socket_;
    Address address_;
    Families families_;
};

} // namespace chatserv
