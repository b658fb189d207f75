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
constexpr size_t form_column = 29;

const char* const introduction =
    "usage: chatserv [OPTION...]\n"
    "       chatserv COMMAND [OPTION...]\n"
    "\n"
    "A TCP chat relay for netcat: each user receives everything that the others send.\n"
    "\n"
    "Options [and their defaults]. A running server takes a new value of those that\n"
    "are marked with + (chatserv reload):\n";

const char* const sources = R"(
Where options come from:
  Every option except the last four can also be set in the environment, for
  example as CHATSERV_USERS or CHATSERV_LOG_SIZE. CHATSERV_CONFIG names the
  file. An empty variable counts as not set. A line of the file is for example
  `users = 100`; # begins a comment, and a value may be quoted. FILE may be a
  pipe, such as /dev/stdin. The command line overrides the environment, and the
  environment overrides the file.
  --listen, --source, --metrics, --join, --allow and --deny may be repeated, and
  take several values separated by commas.

Where to listen:
)";

const char* const port_zero =
    R"(  Port 0 chooses a free port, the same for all addresses of a name. The log
  shows every address that the server listens on.
)";

// `mark` before everything, `left` in the first column and `text` in the second, which begins at
// column `second`, wrapped into lines of 80 columns.
std::string in_columns(const std::string& left, const std::string& text,
    size_t second = help_column, const std::string& mark = " ") {
    std::string lines = mark + " " + left;
    size_t column = lines.size();
    if (column + 1 > second) {
        lines += "\n";
        column = 0;
    }
    lines.append(second - column, ' ');
    column = second;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(' ', begin), text.size());
        const size_t size = end - begin;
        if (column != second && column + 1 + size > columns) {
            lines += "\n" + std::string(second, ' ');
            column = second;
        }
        lines += (column == second ? "" : " ") + text.substr(begin, size);
        column += size + (column == second ? 0 : 1);
        begin = std::min(end + 1, text.size());
    }
    return lines + "\n";
}

std::string help_of(const OptionRow& row, const Options& defaults) {
    // The last paragraph of the help lists the forms of an address.
    const std::string allowed =
        row.kind.allowed == allowed_listen || row.kind.allowed == allowed_without_role
            ? "see below"
            : row.kind.allowed;
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
    for (const OptionRow& row : option_table())
        text += in_columns(row.flag() + " " + row.type, help_of(row, defaults), help_column,
            row.on_reload == OnReload::keeps ? " " : "+");
    for (const CommandLineFlag& flag : command_line_flags)
        text += help_of(flag);
    text += sources;
    for (const ListenForm& each : listen_forms)
        text += in_columns(std::string(each.form), std::string(each.meaning), form_column);
    text += port_zero;
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
