// The header of the PROXY protocol, versions 1 and 2: by which a proxy says whose connection it
// passes on. https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, chapter 2.
//
// Version 1 is a line of text, version 2 is binary and says its own length. The bytes behind the
// header are the client's. Nothing is read here but the bytes that are given.
#pragma once

#include "master/config/address.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace chatserv {

// The longest header that is accepted. A line of version 1 has at most 107 bytes; what makes one of
// version 2 longer are details, of TLS for example, that are passed over.
inline constexpr size_t proxy_header_bytes_max = 4096;

struct ProxyHeader {
    enum class State {
        incomplete, // more bytes are needed
        wrong,      // what comes is no header, and no bytes can make it one
        whole,
    };
    State state = State::incomplete;
    // The rest is valid of a whole header.
    size_t bytes = 0;     // its length
    bool relayed = false; // false: the proxy has opened the connection for itself (LOCAL)
    // Where the client has connected to the proxy from. Nothing if the header names no IP address:
    // then the connection is known by the proxy's own.
    std::optional<Address> client{};
};

// `received`: the first bytes of the connection that are there, at most as many as
// proxy_header_bytes_max.
[[nodiscard]] ProxyHeader parse_proxy_header(std::string_view received);

} // namespace chatserv
