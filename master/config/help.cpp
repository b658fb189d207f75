#include "master/config/help.h"

#include "master/config/commands.h"
#include "master/config/option_table.h"
#include "master/config/options.h"

#include <algorithm>
#include <fmt/core.h>

namespace chatserv {

namespace {

constexpr size_t columns = 80;
constexpr size_t help_column = 26;

const char* const introduction =
    "usage: chatserv [OPTION...]\n"
    "       chatserv COMMAND [OPTION...]\n"
    "\n"
    "A TCP chat relay for netcat: each user receives everything that the others send.\n";

const char* const sources = R"(
Where options come from:
  Every option except the last four can also be set in the environment, for
  example as CHATSERV_USERS or CHATSERV_LOG_SIZE. CHATSERV_CONFIG names the
  file. An empty variable counts as not set. A line of the file is for example
  `users = 100`; # begins a comment, and a value may be quoted. FILE may be a
  pipe, such as /dev/stdin. The command line overrides the environment, and the
  environment overrides the file.
  --listen, --allow and --deny may be repeated, and take several values
  separated by commas.

Where to listen:
  127.0.0.1:9999, [::1]:9999 one address; [fe80::1%eth0]:9999 on one interface
  localhost:9999             every address of that name
  9999                       this machine only: 127.0.0.1 and ::1
  *:9999, :9999, [::]:9999   every address, IPv4 and IPv6
  "[::]:9999 ipv6only=on"    every IPv6 address; [::]:9999 means the same if an
                             IPv4 address with the same port is also given
  Port 0 chooses a free port, the same for all addresses of a name. The log
  shows every address that the server listens on.
)";

// `left` in the first column and `text` in the second, wrapped into lines of 80 columns.
std::string in_columns(const std::string& left, const std::string& text) {
    std::string lines = "  " + left;
    size_t column = lines.size();
    if (column + 1 > help_column) {
        lines += "\n";
        column = 0;
    }
    lines.append(help_column - column, ' ');
    column = help_column;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(' ', begin), text.size());
        const size_t size = end - begin;
        if (column != help_column && column + 1 + size > columns) {
            lines += "\n" + std::string(help_column, ' ');
            column = help_column;
        }
        lines += (column == help_column ? "" : " ") + text.substr(begin, size);
        column += size + (column == help_column ? 0 : 1);
        begin = std::min(end + 1, text.size());
    }
    return lines + "\n";
}

std::string help_of(const OptionRow& row, const Options& defaults) {
    // The last paragraph of the help lists the forms of an address.
    const std::string allowed = row.name == "listen" ? "see below" : row.kind.allowed;
    return fmt::format("{} ({}) [{}]", row.help, allowed,
        row.by_default.empty() ? row.kind.print(defaults) : row.by_default);
}

std::string help_of(const CommandLineFlag& flag) {
    const std::string letter = flag.letter.empty() ? "" : fmt::format("-{}, ", flag.letter);
    const std::string type = flag.type.empty() ? "" : fmt::format(" {}", flag.type);
    return in_columns(fmt::format("{}--{}{}", letter, flag.name, type), std::string(flag.help));
}

} // namespace

std::string help_text() {
    const Options defaults;
    std::string text = introduction;
    text += "\nOptions [and their defaults]:\n";
    for (const OptionRow& row : option_table())
        text += in_columns(row.flag() + " " + row.type, help_of(row, defaults));
    for (const CommandLineFlag& flag : command_line_flags)
        text += help_of(flag);
    text += sources;
    text += "\nCommands:\n";
    for (const Command& command : commands) {
        std::string usage = fmt::format("chatserv {}", command.name);
        if (!command.arguments.empty())
            usage += fmt::format(" {}", command.arguments);
        text += in_columns(usage, std::string(command.help));
    }
    return text;
}

} // namespace chatserv
