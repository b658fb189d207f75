#include "master/config/source_address.h"

#include "master/config/address.h"
#include "master/config/option_values.h"
#include "shared/ipc/unix_socket.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/core.h>
#include <string_view>
#include <vector>

namespace chatserv {

namespace {

constexpr std::array<uint32_t, 13> speeds{
    300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600};

std::string all_speeds() {
    std::vector<std::string> words;
    for (const uint32_t speed : speeds)
        words.push_back(std::to_string(speed));
    return list_of(words);
}

constexpr size_t host_bytes_max = 253; // RFC 1035, 2.3.4

struct KindRow {
    SourceAddress::Kind kind;
    std::string_view word;
};
constexpr KindRow kinds[] = {
    {SourceAddress::Kind::tcp, "tcp"},
    {SourceAddress::Kind::unix_socket, "unix"},
    {SourceAddress::Kind::file, "file"},
    {SourceAddress::Kind::serial, "serial"},
    {SourceAddress::Kind::standard, "stdin"},
    {SourceAddress::Kind::udp, "udp"},
};

std::string_view word_of(SourceAddress::Kind kind) {
    return std::ranges::find(kinds, kind, &KindRow::kind)->word;
}

// A host as getaddrinfo(3) takes it: a name, or an address with or without its scope.
bool is_host(std::string_view host) {
    return !host.empty() && host.size() <= host_bytes_max && host.front() != '-' &&
           std::ranges::all_of(host, [](unsigned char letter) {
               return letter < 0x80 && (std::isalnum(letter) || letter == '-' || letter == '_' ||
                                           letter == '.' || letter == ':' || letter == '%');
           });
}

void take_host_and_port(const Setting& setting, std::string_view text, SourceAddress& source) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        reject_value(setting, allowed_source);
    const auto port = count_of(text.substr(colon + 1));
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    const bool has_colon = host.find(':') != std::string_view::npos;
    if (!port || *port == 0 || *port > 65535 || !is_host(host) || has_colon != bracketed)
        reject_value(setting, allowed_source);
    source.host = host;
    source.port = static_cast<uint16_t>(*port);
}

void take_path(const Setting& setting, std::string_view text, SourceAddress& source) {
    if (text.empty() || text.find('\0') != std::string_view::npos)
        reject_value(setting, allowed_source);
    source.path = text;
    if (source.kind == SourceAddress::Kind::unix_socket && text.size() > socket_path_bytes_max)
        reject_value(
            setting, fmt::format("a path of at most {} bytes behind unix:", socket_path_bytes_max));
}

// "/dev/ttyUSB0,115200". A comma separates values too, so the speed may come as one of its own.
void take_line(const Setting& setting, std::string_view text, SourceAddress& source) {
    const size_t comma = text.rfind(',');
    if (comma != std::string_view::npos) {
        const auto baud = count_of(text.substr(comma + 1));
        if (!baud || !is_serial_speed(*baud))
            reject_value(setting, "a device and one of the speeds " + all_speeds());
        source.baud = static_cast<uint32_t>(*baud);
        text = text.substr(0, comma);
    }
    take_path(setting, text, source);
}

} // namespace

const char* const allowed_source =
    "tcp:HOST:PORT, unix:PATH, file:PATH, serial:PATH,BAUD, udp:ADDR:PORT or stdin; talk: or "
    "listen: before it lets it hear what the others send";

bool is_serial_speed(uint64_t baud) {
    return std::ranges::find(speeds, baud) != speeds.end();
}

SourceAddress SourceAddress::parse(const Setting& setting) {
    std::string_view text = setting.text;
    SourceAddress source;
    if (const auto role = role_named(text.substr(0, text.find(':')))) {
        source.role = *role;
        text.remove_prefix(std::min(text.size(), name_of(*role).size() + 1));
    }
    const size_t colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    const auto* const row = std::ranges::find(kinds, word, &KindRow::word);
    const bool has_more = colon != std::string_view::npos;
    if (row == std::end(kinds) || has_more == (row->kind == Kind::standard))
        reject_value(setting, allowed_source);
    source.kind = row->kind;
    const std::string_view rest = has_more ? text.substr(colon + 1) : std::string_view();
    switch (source.kind) {
    case Kind::tcp:
    case Kind::udp:
        take_host_and_port(setting, rest, source);
        break;
    case Kind::serial:
        take_line(setting, rest, source);
        break;
    case Kind::file:
        if (source.role != Role::speak)
            reject_value(setting, "file: without a role: a file is read, and not written to");
        [[fallthrough]];
    case Kind::unix_socket:
        take_path(setting, rest, source);
        break;
    case Kind::standard:
        break;
    }
    return source;
}

std::string SourceAddress::text() const {
    const std::string prefix = role == Role::speak ? "" : std::string(name_of(role)) + ":";
    switch (kind) {
    case Kind::tcp:
    case Kind::udp:
        return fmt::format("{}{}:{}", prefix, word_of(kind), host_and_port());
    case Kind::serial:
        return fmt::format("{}serial:{},{}", prefix, path, baud);
    case Kind::unix_socket:
    case Kind::file:
        return fmt::format("{}{}:{}", prefix, word_of(kind), path);
    case Kind::standard:
        break;
    }
    return prefix + std::string(word_of(kind));
}

std::string SourceAddress::host_and_port() const {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                               : fmt::format("[{}]:{}", host, port);
}

std::string SourceAddress::name() const {
    if (kind == Kind::standard)
        return !hears() ? "stdin" : !is_heard() ? "stdout" : "stdin and stdout";
    SourceAddress plain = *this;
    plain.role = Role::speak;
    return plain.text();
}

} // namespace chatserv
