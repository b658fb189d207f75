#include "master/config/option_table.h"

#include "master/config/option_kinds.h"
#include "master/config/room_options.h"
#include "shared/ipc/unix_socket.h"
#include "shared/segment/settings_records.h"
#include "shared/system/logging.h"

#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <iterator>
#include <utility>

namespace chatserv {

namespace {

constexpr uint64_t min_drain_bytes_max = 1024 * 1024 * 1024;
constexpr double limit_seconds_max = 3600;
constexpr size_t greeting_bytes_max = 500;
constexpr double idle_seconds_max = idle_timeout_ms_max / 1000.0;

// The row of an option whose new value a reload takes.
OptionRow taken(OptionRow row, OnReload on_reload = OnReload::takes) {
    row.on_reload = on_reload;
    return row;
}

Words<std::string> log_level_words() {
    Words<std::string> words;
    for (const std::string_view level : log_levels)
        words.emplace_back(level, level);
    return words;
}

std::vector<OptionRow> make_table() {
    return {
        taken({"listen", "ADDRESS", "Address to listen on",
            addresses(&Options::listen, "--listen", allowed_listen, ListenAddress::parse),
            "9999: 127.0.0.1:9999 and [::1]:9999", "", "9999"}),
        {"unix-mode", "MODE", "Mode of the file of each UNIX socket of `--listen`",
            mode(&Options::unix_mode), "",
            "It says who may connect: whoever can write to the file."},
        {"unix-group", "GROUP", "Group of the file of each UNIX socket of `--listen`", group(),
            "the group of the server's user", "", "daemon"},
        taken({"users", "N", "Maximum number of users at the same time",
                  count(&Options::users, 1, users_max)},
            OnReload::takes_to_room),
        taken({"workers", "N", "Worker processes", count(&Options::workers, 1, workers_max),
                  "one per usable core, but at least 2",
                  "A reload that asks for fewer moves the users of the others first.", "2"},
            OnReload::takes_to_table),
        taken({"spares", "N", "Spare workers, ready to replace a worker that dies",
            count(&Options::spares, 0, spares_max)}),
        taken({"placement", "POLICY",
            "load: as few workers serve the users as can; even: each worker serves as many as the "
            "others",
            word<PlacementPolicy>(&Options::placement,
                {{"load", PlacementPolicy::load}, {"even", PlacementPolicy::even}})}),
        {"log-size", "BYTES", "How far the slowest reader may fall behind",
            bytes(&Options::log_bytes, log_bytes_min, log_bytes_max, "bytes")},
        taken({"stall-limit", "SECONDS",
            "How long a slow reader may hold up the other users before it is disconnected",
            seconds(&Options::stall_limit, limit_seconds_max, false)}),
        taken({"min-drain", "BYTES", "... unless it reads at least this much per second meanwhile",
            bytes(&Options::min_drain_bytes, 1, min_drain_bytes_max, "bytes per second")}),
        taken({"slow-policy", "POLICY",
            "wait: as above; disconnect: disconnect a reader at once when it is a whole log behind",
            word<SlowPolicy>(&Options::slow_policy,
                {{"wait", SlowPolicy::wait}, {"disconnect", SlowPolicy::disconnect}}),
            "", "With `disconnect`, senders never wait for a reader."}),
        {"hang-limit", "SECONDS", "Replace a worker that does not respond for this long",
            seconds(&Options::hang_limit, limit_seconds_max, false)},
        {"control", "PATH", "Control socket, used by `chatserv status` and the other commands",
            text(&Options::control,
                fmt::format("a path of at most {} bytes, or none", socket_path_bytes_max),
                socket_path_bytes_max),
            "chatserv-PID.sock in /run, $XDG_RUNTIME_DIR, $TMPDIR or /tmp",
            "The default is in the first of these folders that this user can write to; a folder "
            "/run/chatserv of this user comes before them. With `none` there is no socket. "
            "`CHATSERV_CONTROL_DIR` in the environment names the folder instead, for the server "
            "and for the commands.",
            "/run/chatserv/chatserv.sock"},
        {"source", "SOURCE", "Take part of the conversation from here; made again when it ends",
            sources(), "none",
            "The server connects to `tcp:HOST:PORT` or `unix:PATH`, opens `serial:PATH,BAUD`, or "
            "follows `file:PATH` through its rotation; `stdin` is standard input. `udp:ADDR:PORT` "
            "receives datagrams at this address of the machine, or of this multicast group. What "
            "comes from a source is relayed as a user's words are. It is sent nothing, unless "
            "`talk:` stands before it; with `listen:` it is only sent to. `talk:udp:HOST:PORT` and "
            "`listen:udp:HOST:PORT` send datagrams there. A UDP source may lose datagrams, and "
            "counts them. A source that ends or fails is made again "
            "after a pause that grows from 1 to 60 seconds; `chatserv status` says how each "
            "stands. Each takes one of the places of --users. A reload makes sources that are new "
            "and lets those go that are gone; the others do not notice.",
            "tcp:192.0.2.7:30003, file:/var/log/messages", OnReload::takes},
        {"source-silence", "SECONDS",
            "Make a source again that sends nothing for this long; 0 means never",
            seconds(&Options::source_silence, idle_seconds_max, true), "",
            "It concerns TCP and UNIX connections and serial lines, and not those that are only "
            "sent to.",
            "", OnReload::takes},
        {"source-greeting", "TEXT", "Send this to a source first, each time it is connected",
            text(&Options::source_greeting,
                fmt::format("a text of at most {} bytes", greeting_bytes_max), greeting_bytes_max),
            "nothing",
            "`\\n`, `\\r`, `\\t` and `\\\\` stand for one byte each. Files, standard "
            "output and `udp:ADDR:PORT` get none.",
            "hello\\n", OnReload::takes},
        {"stdin", "CHOICE", "Relay standard input to every user",
            yes_or_no(&Options::standard_input)},
        {"stdin-end", "ACTION",
            "go-on: the server outlives standard input; stop: it stops when all is relayed",
            word<AtEndOfStdin>(&Options::at_end_of_stdin,
                {{"go-on", AtEndOfStdin::go_on}, {"stop", AtEndOfStdin::stop}})},
        {"stdout", "CHOICE", "Write what the users send to standard output",
            yes_or_no(&Options::standard_output), "",
            "With --stdin, what comes from standard input is not written there."},
        {"metrics", "ADDRESS", "Serve metrics for Prometheus, and a status page, at this address",
            addresses(&Options::metrics, "--metrics", allowed_without_role,
                ListenAddress::parse_without_role),
            "none",
            "A process of its own serves them over HTTP, without a password: whoever can connect "
            "to the address can read them.",
            "9998"},
        taken({"log-level", "LEVEL", "Lowest severity that is logged",
            word<std::string>(
                &Options::log_level, log_level_words(), {{"warn", "warning"}, {"err", "error"}}),
            "", "Capitals, `warn` and `err` are accepted as well."}),
        taken({"log-format", "FORMAT", "Write log lines for people or for programs",
            word<LogFormat>(
                &Options::log_format, {{"text", LogFormat::text}, {"json", LogFormat::json}}),
            "",
            "With `json` each line is an object that has the same words and the fields of its "
            "event."}),
        {"log-file", "PATH", "Append the log to this file, and reopen the file on SIGHUP",
            text(&Options::log_file, "the path of a file, or syslog"), "standard error",
            "The file is made with mode 0640. A FIFO needs no reader. With `syslog` the log goes "
            "to syslogd(8), facility `daemon`; a file of that name is `./syslog`.",
            "/var/log/chatserv.log"},
        taken({"max-per-address", "N",
            "Maximum number of users from one IPv4 address or IPv6 /64; 0 means no limit",
            count(&Options::max_per_address, 0, users_max)}),
        taken({"allow", "CIDR", "Admit users only from this network", networks(&Options::allow),
            "every network",
            "A narrower network does not override a wider one. An IPv4 address matches only IPv4 "
            "networks.",
            "192.0.2.0/24, 2001:db8::/32"}),
        taken({"deny", "CIDR", "Admit no users from this network, even if it is allowed",
            networks(&Options::deny), "no network", "", "192.0.2.66"}),
        taken({"proxy-trust", "CIDR", "Believe proxies of this network at `proxy:` addresses",
            networks(&Options::proxy_trust), "no network",
            "Whoever can connect from there can claim any address. A server that listens at a "
            "`proxy:` address needs it, unless it is the path of a UNIX socket: there the file's "
            "mode says who may connect.",
            "127.0.0.1, 192.0.2.0/28"}),
        taken(
            {"proxy-timeout", "SECONDS", "How long a proxy may take to say whose connection it is",
                seconds(&Options::proxy_timeout, limit_seconds_max, false)}),
        taken({"keepalive", "SECONDS",
            "Disconnect a user whose machine does not respond for about this long; 0 means never",
            count(&Options::keepalive_seconds, 0, keepalive_seconds_max)}),
        taken({"max-rate", "BYTES",
            "Read at most this much per second from each user; 0 means no limit",
            bytes(&Options::max_rate_bytes, 0, max_rate_bytes_max, "bytes per second"), "",
            "Bytes beyond that are not lost: they wait in the user's socket, and TCP holds the "
            "sender back."}),
        taken({"idle-timeout", "SECONDS",
            "Disconnect a user that sends nothing for this long; 0 means never",
            seconds(&Options::idle_timeout, idle_seconds_max, true), "",
            "Do not use it for people who only listen."}),
        taken({"replay", "AMOUNT",
            "Send each newcomer the last lines or bytes of the conversation first; 0 means none",
            replay(), "",
            "A newcomer is sent no more than half of `--log-size`, and lines from the last "
            "mebibyte only. What it is sent first is not marked. A server that joins a room of "
            "several "
            "hosts begins with as much of what was said there."}),
        {"framing", "FRAMING",
            "none: relay bytes as they come; line: relay whole lines, so that lines of several "
            "users never mix",
            word<Framing>(&Options::framing, {{"none", Framing::none}, {"line", Framing::line}}),
            "",
            "With `line`, what has come of a line waits until the line ends. The last line of a "
            "user that leaves is given an end. A line that a user has not ended when the server "
            "disconnects the user is dropped."},
        {"line-max", "BYTES", "Longest line with `--framing line`; a longer one is cut",
            bytes(&Options::line_max_bytes, line_bytes_min, line_bytes_max, "bytes"), "",
            "The line's end does not count. Each piece of a longer line is a line of its own, and "
            "the log names the user once. At most an eighth of `--log-size`."},
        {"line-end", "END",
            "How lines end that are relayed with `--framing line`. keep: as sent; lf: with a "
            "newline alone",
            word<LineEnd>(&Options::line_end, {{"keep", LineEnd::keep}, {"lf", LineEnd::lf}}), "",
            "With `lf`, a carriage return in front of the newline is left out."},
        {"prefix", "PREFIX",
            "What each line begins with, with `--framing line`. address: the user's address; name: "
            "the first line that the user sends",
            word<Prefix>(&Options::prefix,
                {{"none", Prefix::none}, {"address", Prefix::address}, {"name", Prefix::name}}),
            "",
            "A colon and a space follow. A name has at most 32 bytes of printable text, and the "
            "line that gives it is not relayed. Two users may have one name. Sources are called "
            "`source 1`, `source 2` and so on."},
        {"user", "NAME", "Run the workers as this user; only root can choose another user", user(),
            "nobody, if started as root", "UID:GID is accepted as well. `root` keeps root.",
            "nobody"},
    };
}

} // namespace

std::string OptionRow::variable() const {
    std::string variable = "CHATSERV_";
    for (const char letter : name)
        variable += letter == '-'
                        ? '_'
                        : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    return variable;
}

const std::vector<OptionRow>& option_table() {
    static const std::vector<OptionRow> table = [] {
        std::vector<OptionRow> rows = make_table();
        std::ranges::move(room_option_rows(), std::back_inserter(rows));
        return rows;
    }();
    return table;
}

const OptionRow* find_option(std::string_view name) {
    for (const OptionRow& row : option_table())
        if (row.name == name)
            return &row;
    return nullptr;
}

} // namespace chatserv
