// The value of --source: something outside that the server takes part of the conversation from, as
// users write it.
//
//     tcp:192.0.2.7:30003, tcp:[2001:db8::7]:30003, tcp:feed.example:30003   a TCP connection
//     unix:/run/gpsd.sock             a connection to a UNIX stream socket
//     file:/var/log/messages          what is appended to a file, through its rotation
//     serial:/dev/ttyUSB0,115200      a serial line, at this speed (9600 if none is given)
//     udp:0.0.0.0:10110, udp:[::]:10110, udp:239.192.0.1:10110   what is sent to this address of
//                                     the machine, or to this multicast group
//     stdin                           standard input
//
// A word before it gives another role (role.h) than `speak`:
//
//     talk:tcp:192.0.2.7:30003    the others hear the source, and the source hears them
//     listen:unix:/run/sink       the source hears the others, and what it sends is thrown away
//     listen:udp:192.0.2.255:10110   datagrams with what the others say are sent to this address
//     talk:udp:feed.example:10110    likewise, and what comes back from there is heard
#pragma once

#include "master/config/setting.h"
#include "shared/segment/role.h"

#include <cstdint>
#include <string>

namespace chatserv {

// How many sources there can be.
inline constexpr uint32_t sources_max = 16;

struct SourceAddress {
    enum class Kind { tcp, unix_socket, file, serial, standard, udp };

    // Throws Failure if the value has none of the forms above, or a role that its kind cannot have.
    [[nodiscard]] static SourceAddress parse(const Setting& setting);

    // The form that parse() takes.
    [[nodiscard]] std::string text() const;
    // Of `tcp` and `udp`: "192.0.2.7:30003", "[2001:db8::7]:30003", "feed.example:30003".
    [[nodiscard]] std::string host_and_port() const;
    // Without its role, as the log names it. `standard` is named by its directions.
    [[nodiscard]] std::string name() const;

    // Its silence can mean that it is gone. To make a UDP source again would only lose datagrams.
    [[nodiscard]] bool can_fall_silent() const {
        return is_heard() && kind != Kind::file && kind != Kind::standard && kind != Kind::udp;
    }
    // Both are the same thing outside: the same file, line, port or machine. To have two of a line
    // or a port at the same time does not work.
    [[nodiscard]] bool is_same_place(const SourceAddress& other) const {
        return kind == other.kind && host == other.host && port == other.port && path == other.path;
    }
    // What comes from it goes to the others.
    [[nodiscard]] bool is_heard() const { return role != Role::listen; }
    // What the others send goes to it.
    [[nodiscard]] bool hears() const { return role != Role::speak; }

    bool operator==(const SourceAddress&) const = default;

    Kind kind = Kind::tcp;
    Role role = Role::speak;
    std::string host{};   // of `tcp` and `udp`: a name or a numeric address, without brackets
    uint16_t port = 0;    // of `tcp` and `udp`
    std::string path{};   // of `unix_socket`, `file` and `serial`
    uint32_t baud = 9600; // of `serial`
};

// Completes "must be ..." in an error line.
extern const char* const allowed_source;

// The speeds that termios(3) has a name for on every system, in ascending order.
[[nodiscard]] bool is_serial_speed(uint64_t baud);

} // namespace chatserv
