#include "master/config/listen_address.h"

#include "master/config/resolver.h"
#include "shared/system/failure.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <fmt/core.h>
#include <optional>
#include <strings.h>
#include <sysexits.h>

namespace chatserv {

namespace {

constexpr size_t host_bytes_max = 253;             // RFC 1035, 2.3.4
constexpr std::string_view unix_prefix = "unix:/"; // a host of this name has a port behind it
constexpr std::string_view proxy_prefix = "proxy:";

std::optional<uint16_t> port_of(const std::string& text) {
    if (text.empty() || text.size() > 5 ||
        text.find_first_not_of("0123456789") != std::string::npos || std::stoul(text) > 65535)
        return std::nullopt;
    return static_cast<uint16_t>(std::stoul(text));
}

bool is_ipv6(const std::string& host) {
    const size_t percent = host.find('%');
    in6_addr bytes{};
    if (::inet_pton(AF_INET6, host.substr(0, percent).c_str(), &bytes) != 1)
        return false;
    // A scope is the name of a network interface, or its number.
    return percent == std::string::npos ||
           (percent + 1 < host.size() &&
               std::all_of(host.begin() + static_cast<std::ptrdiff_t>(percent) + 1, host.end(),
                   [](unsigned char letter) { return std::isgraph(letter) && letter != '%'; }));
}

std::string host_and_port(const std::string& host, uint16_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool is_ipv4(const std::string& host) {
    return Address::parse(host + ":0").has_value();
}

// A name by RFC 1123, 2.1, or one with underscores. A name whose last part is a number is refused:
// it is a mistyped address.
bool is_name(const std::string& host) {
    const auto allowed = [](unsigned char letter) {
        return letter < 0x80 &&
               (std::isalnum(letter) || letter == '-' || letter == '_' || letter == '.');
    };
    if (host.empty() || host.size() > host_bytes_max || host.front() == '.' ||
        host.front() == '-' || host.find("..") != std::string::npos ||
        !std::all_of(host.begin(), host.end(), allowed))
        return false;
    const std::string whole = host.back() == '.' ? host.substr(0, host.size() - 1) : host;
    const std::string last = whole.substr(whole.rfind('.') + 1);
    return !last.empty() && last.find_first_not_of("0123456789") != std::string::npos;
}

// Moves the last word of "[::]:9999 ipv6only=on" into `address`. Returns the text before it.
std::string take_parameter(
    const Setting& setting, const std::string& text, const char* allowed, ListenAddress& address) {
    const size_t blank = text.find(' ');
    if (blank == std::string::npos)
        return text;
    const std::string word = text.substr(blank + 1);
    std::string before = text.substr(0, blank);
    if (word.find('=') == std::string::npos)
        reject_value(setting, allowed);
    if (!before.starts_with("[::]:") || (word != "ipv6only=on" && word != "ipv6only=off"))
        reject_value(setting, "an address alone, or [::]:PORT with ipv6only=on or ipv6only=off");
    address.ipv4 = word == "ipv6only=on" ? ListenAddress::Ipv4::never : ListenAddress::Ipv4::too;
    return before;
}

void take_host(
    const Setting& setting, const std::string& host, const char* allowed, ListenAddress& address) {
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    address.host_text = bracketed ? host.substr(1, host.size() - 2) : host;
    if (host.empty() || host == "*") {
        address.host = ListenAddress::Host::all;
        address.host_text = "*";
    } else if (bracketed ? is_ipv6(address.host_text) : is_ipv4(host)) {
        address.host = ListenAddress::Host::numeric;
    } else if (!bracketed && is_name(host)) {
        address.host = ListenAddress::Host::name;
    } else if (!bracketed && host.find(':') != std::string::npos && is_ipv6(host)) {
        reject_value(setting, fmt::format("written with brackets: [{}]:{}", host, address.port));
    } else {
        reject_value(setting, allowed);
    }
}

ListenAddress unix_address_in(const Setting& setting, const std::string& path) {
    if (!Address::at_path(path) || path.back() == '/' || !is_printable(path))
        reject_value(setting, allowed_listen);
    ListenAddress address;
    address.place = setting.place;
    address.host = ListenAddress::Host::local;
    address.host_text = path;
    address.port = 0;
    return address;
}

// The address that `text` means, the value of `setting` or what is behind its role.
ListenAddress address_in(const Setting& setting, const std::string& text, const char* allowed) {
    ListenAddress address;
    address.place = setting.place;
    const std::string before = take_parameter(setting, text, allowed, address);
    const size_t colon = before.rfind(':');
    const auto port = port_of(colon == std::string::npos ? before : before.substr(colon + 1));
    if (!port)
        reject_value(setting, allowed);
    address.port = *port;
    if (colon != std::string::npos)
        take_host(setting, before.substr(0, colon), allowed, address);
    return address;
}

// The address that a numeric host means on this machine, which must have its scope.
Address numeric_address(const ListenAddress& listen) {
    const auto address = Address::parse(host_and_port(listen.host_text, listen.port));
    if (!address)
        throw Failure(EX_UNAVAILABLE,
            fmt::format("{} \"{}\": this machine has no network interface {}", listen.place.text,
                listen.text(), listen.host_text.substr(listen.host_text.find('%') + 1)));
    return address->unmapped();
}

std::vector<Address> addresses_of_name(const ListenAddress& listen) {
    const std::string& name = listen.host_text;
    const std::string asked_by = fmt::format("{} \"{}\"", listen.place.text, listen.text());
    Resolved resolved = look_up_in_time(look_up, name, asked_by);
    // RFC 6761, 6.3: this name means the loopback, even if no hosts(5) file says so.
    if (resolved.addresses.empty() && ::strcasecmp(name.c_str(), "localhost") == 0)
        resolved.addresses = {Address::loopback(AF_INET, 0), Address::loopback(AF_INET6, 0)};
    if (resolved.addresses.empty())
        throw Failure(EX_UNAVAILABLE,
            fmt::format(
                "{}: no address was found for {} ({}); correct the name, or give the address",
                asked_by, name, resolved.error));
    for (Address& address : resolved.addresses)
        address = address.with_port(listen.port);
    return resolved.addresses;
}

// Whether both addresses would take connections to the same address and port.
bool overlap(const Address& one, bool one_takes_ipv4, const Address& other, bool other_takes_ipv4) {
    if (one.is_unix() || other.is_unix())
        return one.text() == other.text();
    if (one.port() == 0 || one.port() != other.port())
        return false;
    if (one.text() == other.text())
        return true;
    if (one.family() == other.family())
        return one.is_any() || other.is_any();
    return one.family() == AF_INET6 ? one_takes_ipv4 : other_takes_ipv4;
}

void refuse_overlap(const ListenAddress& earlier, const ListenAddress& later) {
    for (const Address& one : earlier.addresses)
        for (const Address& other : later.addresses)
            if (overlap(one, earlier.takes_ipv4_too, other, later.takes_ipv4_too))
                reject_value({later.place, later.text()},
                    fmt::format("another address or port: {} \"{}\" already listens there",
                        earlier.place.text, earlier.text()));
}

bool has_ipv4_of_port(const ListenAddress& listen, uint16_t port) {
    return std::any_of(
        listen.addresses.begin(), listen.addresses.end(), [&](const Address& address) {
            return address.family() == AF_INET && address.port() == port;
        });
}

} // namespace

const char* const allowed_listen =
    "HOST:PORT, for example 127.0.0.1:9999, localhost:9999, [::1]:9999, [fe80::1%eth0]:9999, "
    "*:9999 (all addresses) or 9999 (this machine only), or unix:PATH with an absolute path of at "
    "most 103 bytes, with talk:, listen:, speak: or resume: before it or not, and with proxy: "
    "directly before it or not; ports are 0 (any free port) to 65535";
const char* const allowed_without_role =
    "HOST:PORT, for example 127.0.0.1:9999, localhost:9999, [::1]:9999, [fe80::1%eth0]:9999, "
    "*:9999 (all addresses) or 9999 (this machine only); ports are 0 (any free port) to 65535";

ListenAddress ListenAddress::parse(const Setting& setting) {
    const size_t colon = setting.text.find(':');
    const auto role =
        colon == std::string::npos ? std::nullopt : role_named(setting.text.substr(0, colon));
    std::string text = role ? setting.text.substr(colon + 1) : setting.text;
    const bool proxied = text.starts_with(proxy_prefix);
    text.erase(0, proxied ? proxy_prefix.size() : 0);
    ListenAddress address = text.starts_with(unix_prefix)
                                ? unix_address_in(setting, text.substr(unix_prefix.size() - 1))
                                : address_in(setting, text, allowed_listen);
    address.role = role.value_or(Role::talk);
    address.proxied = proxied;
    return address;
}

ListenAddress ListenAddress::parse_without_role(const Setting& setting) {
    return address_in(setting, setting.text, allowed_without_role);
}

std::string ListenAddress::text() const {
    const bool reads_as_role = !proxied && host == Host::name && role_named(host_text);
    std::string text(proxied ? proxy_prefix : "");
    text += address_text();
    return role == Role::talk && !reads_as_role ? text : std::string(name_of(role)) + ":" + text;
}

std::string ListenAddress::address_text() const {
    const char* const parameter = ipv4 == Ipv4::never ? " ipv6only=on"
                                  : ipv4 == Ipv4::too ? " ipv6only=off"
                                                      : "";
    if (host == Host::loopback)
        return std::to_string(port);
    if (host == Host::local)
        return "unix:" + host_text;
    return host_and_port(host_text, port) + parameter;
}

void resolve_listen(std::vector<ListenAddress>& listen) {
    for (ListenAddress& each : listen) {
        switch (each.host) {
        case ListenAddress::Host::loopback:
            each.addresses = {
                Address::loopback(AF_INET, each.port), Address::loopback(AF_INET6, each.port)};
            break;
        case ListenAddress::Host::all:
            each.addresses = {Address::any(AF_INET6, each.port)};
            break;
        case ListenAddress::Host::numeric:
            each.addresses = {numeric_address(each)};
            break;
        case ListenAddress::Host::name:
            each.addresses = addresses_of_name(each);
            break;
        case ListenAddress::Host::local:
            each.addresses = {*Address::at_path(each.host_text)};
            break;
        }
    }
    for (ListenAddress& each : listen) {
        const Address& address = each.addresses.front();
        if (address.family() != AF_INET6 || !address.is_any())
            continue;
        const bool ipv4_listed =
            each.port != 0 &&
            std::any_of(listen.begin(), listen.end(),
                [&](const ListenAddress& other) { return has_ipv4_of_port(other, each.port); });
        const bool both =
            each.host == ListenAddress::Host::all || each.ipv4 == ListenAddress::Ipv4::too;
        each.takes_ipv4_too = both || (each.ipv4 == ListenAddress::Ipv4::as_listed && !ipv4_listed);
    }
    for (size_t later = 1; later < listen.size(); ++later)
        for (size_t earlier = 0; earlier < later; ++earlier)
            refuse_overlap(listen[earlier], listen[later]);
}

} // namespace chatserv
