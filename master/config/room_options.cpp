#include "master/config/room_options.h"

#include "master/config/option_kinds.h"
#include "shared/segment/bridged_chunk.h"
#include "shared/system/failure.h"
#include "shared/system/printable_text.h"
#include "shared/system/whole_number.h"

#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <string_view>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

constexpr uint64_t retention_min = 1024 * 1024;
constexpr uint64_t retention_max = 1024ULL * 1024 * 1024 * 1024;

constexpr const char* allowed_servers =
    "nats://HOST[:PORT] or tls://HOST[:PORT], with or without USER:PASSWORD@ before HOST";

bool is_name_byte(char byte) {
    return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '-' || byte == '_';
}

// An address in brackets, or a name or address without a colon; then a port, or none.
bool is_host(std::string_view text) {
    std::string_view host = text.substr(0, text.rfind(':'));
    std::string_view port = host.size() == text.size() ? "" : text.substr(host.size());
    if (text.ends_with(']')) {
        host = text;
        port = "";
    }
    if (host.starts_with('[') && host.ends_with(']') && host.size() > 2)
        host = host.substr(1, host.size() - 2);
    else if (host.find_first_of("[]:") != std::string_view::npos)
        return false;
    const auto number = port.empty() ? std::optional(1U) : whole_number<uint32_t>(port.substr(1));
    return !host.empty() && host.find_first_of(" /,?#") == std::string_view::npos && number &&
           *number >= 1 && *number <= 65535;
}

bool is_server(const std::string& text) {
    for (const std::string_view scheme : {"nats://", "tls://"})
        if (text.starts_with(scheme)) {
            const std::string_view rest = std::string_view(text).substr(scheme.size());
            const size_t at = rest.rfind('@');
            return text.size() <= join_bytes_max && is_printable(text) && at != 0 &&
                   is_host(at == std::string_view::npos ? rest : rest.substr(at + 1));
        }
    return false;
}

OptionKind servers() {
    return {allowed_servers,
        [](Options& options, const Setting& setting) {
            if (!is_server(setting.text))
                reject_value(setting, allowed_servers);
            if (options.join.size() == join_servers_max)
                throw Failure(
                    setting.place.exit_status, fmt::format("{}: at most {} servers can be named",
                                                   setting.place.text, join_servers_max));
            options.join.push_back(setting.text);
        },
        [](const Options& options) {
            std::vector<std::string> quoted;
            for (const std::string& server : options.join)
                quoted.push_back(in_quotes(server));
            return quoted.empty() ? "" : "[" + list_of(quoted) + "]";
        },
        copy_of(&Options::join), [](Options& options) { options.join.clear(); }};
}

OptionKind room_name() {
    const std::string allowed =
        fmt::format("a name of at most {} letters, digits, - and _", room_name_bytes_max);
    OptionKind kind = text(&Options::room, allowed, room_name_bytes_max);
    kind.parse = [allowed, parse = kind.parse](Options& options, const Setting& setting) {
        if (!std::ranges::all_of(setting.text, is_name_byte))
            reject_value(setting, allowed);
        parse(options, setting);
    };
    return kind;
}

OptionKind path(std::string Options::*member) {
    return text(member, fmt::format("the path of a file, of at most {} bytes", room_path_bytes_max),
        room_path_bytes_max);
}

} // namespace

std::vector<OptionRow> room_option_rows() {
    return {
        {"join", "SERVER", "Join a room of several hosts through this server of NATS JetStream",
            servers(), "none",
            "Users of all hosts of a room are in one conversation, in one order. It needs "
            "`--room`. "
            "Name several servers of one cluster, so that another one is tried when one is lost.",
            "nats://192.0.2.10, nats://192.0.2.11, nats://192.0.2.12"},
        {"room", "NAME", "The room that is joined", room_name(), "none",
            "Hosts that name the same room on the same cluster are in it together. It needs "
            "`--join`.",
            "lobby"},
        {"room-replicas", "N", "How many servers keep the room's stream",
            word<uint32_t>(&Options::room_replicas, {{"1", 1}, {"3", 3}, {"5", 5}}), "",
            "The host that makes the stream decides this, and the next two; those of other hosts "
            "change nothing. With 3, one of the cluster's servers may be lost, with 5 two."},
        {"room-storage", "KIND", "Where those servers keep it",
            word<RoomStorage>(&Options::room_storage,
                {{"file", RoomStorage::file}, {"memory", RoomStorage::memory}})},
        {"room-retention", "SIZE", "How much of the conversation they keep",
            bytes(&Options::room_retention, retention_min, retention_max, "bytes"), "",
            "A host that is away for longer than this lasts cannot go on: its users are "
            "disconnected, and it ends."},
        {"room-credentials", "FILE", "Credentials with which to connect to those servers",
            path(&Options::room_credentials), "none", "A file of nsc(1), as a rule `NAME.creds`.",
            "/etc/chatserv/room.creds"},
        {"room-ca", "FILE", "Certificates of the authorities that those servers are to have",
            path(&Options::room_ca), "those of the system", "A PEM file, for `tls://` servers.",
            "/etc/chatserv/room-ca.pem"},
        {"room-certificate", "FILE", "Certificate to show to those servers",
            path(&Options::room_certificate), "none", "A PEM file, which needs `--room-key`.",
            "/etc/chatserv/room.pem"},
        {"room-key", "FILE", "Private key of that certificate", path(&Options::room_key), "none",
            "A PEM file, which needs `--room-certificate`.", "/etc/chatserv/room.key"},
    };
}

void check_room(const Options& options) {
    if (options.join.empty() != options.room.empty())
        throw Failure(EX_USAGE,
            options.room.empty()
                ? "--join needs --room: name the room that is to be joined"
                : "--room needs --join: name a server of NATS, for example nats://127.0.0.1");
    if (options.joined() && options.log_bytes < joined_log_bytes_min)
        throw Failure(
            EX_USAGE, fmt::format("--log-size must be at least {} where a room is joined: it is {}",
                          text_of_bytes(joined_log_bytes_min), text_of_bytes(options.log_bytes)));
    if (options.room_certificate.empty() != options.room_key.empty())
        throw Failure(EX_USAGE, options.room_key.empty()
                                    ? "--room-certificate needs --room-key, which belongs to it"
                                    : "--room-key needs --room-certificate, which belongs to it");
    for (const auto& [name, value] : {std::pair{"--room-credentials", &options.room_credentials},
             std::pair{"--room-ca", &options.room_ca}, std::pair{"--room-key", &options.room_key}})
        if (!value->empty() && !options.joined())
            throw Failure(EX_USAGE, fmt::format("{} needs --join and --room", name));
}

std::string without_passwords(std::string servers) {
    constexpr std::string_view scheme_end = "://";
    for (size_t begin = 0; (begin = servers.find(scheme_end, begin)) != std::string::npos;) {
        begin += scheme_end.size();
        const size_t end = std::min(servers.find_first_of("\", ", begin), servers.size());
        const size_t at = servers.rfind('@', end);
        if (at != std::string::npos && at > begin && at < end)
            servers.replace(begin, at - begin, "...");
    }
    return servers;
}

} // namespace chatserv
