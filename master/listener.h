// A listen socket.
#pragma once

#include "master/address.h"
#include "shared/fd.h"

#include <optional>

namespace chatserv {

class Listener {
public:
    // Throws std::system_error with the errno of the call that failed.
    explicit Listener(const Address& address);

    [[nodiscard]] int fd() const { return socket_.get(); }
    // With the real port, where 0 was asked for.
    [[nodiscard]] const Address& address() const { return address_; }

    struct Accepted {
        UniqueFd socket; // non-blocking, close-on-exec
        Address peer;
    };
    // The next connection, or nothing: errno is then EAGAIN where there is none, or why accept(2)
    // failed. A connection that was gone before it could be accepted is passed over.
    [[nodiscard]] std::optional<Accepted> accept() const;

private:
    UniqueFd socket_;
    Address address_;
};

} // namespace chatserv
