// Prints the reference of options and commands as JSON, from the tables that the program itself
// uses. The manuals, the sample of the configuration file, the shells' completions and the table in
// docs/operating.md are made of it, by the scripts beside this file. It runs at build time only.
#include "config.h"
#include "master/config/commands.h"
#include "master/config/help.h"
#include "master/config/option_table.h"
#include "master/config/options.h"

#include <cstdio>
#include <nlohmann/json.hpp>

using namespace chatserv;
using nlohmann::json;

namespace {

const char* word_of(OnReload on_reload) {
    switch (on_reload) {
    case OnReload::keeps:
        break;
    case OnReload::takes:
        return "takes";
    case OnReload::takes_to_room:
        return "takes_to_room";
    case OnReload::takes_to_table:
        return "takes_to_table";
    }
    return "keeps";
}

// `sample` is a value that the configuration file may have; `sample_is_default` says whether it is
// the default.
json options() {
    const Options defaults;
    json rows = json::array();
    for (const OptionRow& row : option_table()) {
        const std::string value = row.by_default.empty() ? row.kind.print(defaults) : "";
        rows.push_back({{"name", row.name}, {"type", row.type}, {"help", row.help},
            {"allowed", row.kind.allowed}, {"more", row.more}, {"variable", row.variable()},
            {"repeats", row.repeats()}, {"on_reload", word_of(row.on_reload)},
            {"default", value.empty() ? row.by_default : value},
            {"sample", value.empty() ? row.example : value},
            {"sample_is_default", !value.empty()}});
    }
    return rows;
}

json flags() {
    json rows = json::array();
    for (const CommandLineFlag& flag : command_line_flags)
        rows.push_back({{"name", flag.name}, {"letter", flag.letter}, {"type", flag.type},
            {"help", flag.help}});
    return rows;
}

json all_commands() {
    json rows = json::array();
    for (const Command& command : commands)
        rows.push_back(
            {{"name", command.name}, {"arguments", command.arguments}, {"help", command.help}});
    return rows;
}

json forms() {
    json rows = json::array();
    for (const ListenForm& each : listen_forms)
        rows.push_back({{"form", each.form}, {"meaning", each.meaning}});
    return rows;
}

} // namespace

int main() {
    const json reference = {{"version", CHATSERV_VERSION}, {"options", options()},
        {"flags", flags()}, {"commands", all_commands()}, {"listen_forms", forms()}};
    return std::puts(reference.dump(2).c_str()) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
