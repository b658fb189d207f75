#include "master/config/options.h"

#include "master/config/command_line.h"
#include "master/config/config_file.h"
#include "master/config/help.h"
#include "master/config/option_table.h"
#include "master/config/processors.h"
#include "master/config/proxy_terms.h"
#include "master/config/relay_settings_of.h"
#include "master/config/room_options.h"
#include "shared/segment/layout.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>

namespace chatserv {

namespace {

const char* const config_flag = "config";
const char* const check_flag = "check-config";

// The value of a variable; nothing if it is not set or empty.
std::optional<Setting> from_environment(const std::string& variable) {
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0')
        return std::nullopt;
    Setting setting;
    setting.place.text = variable;
    setting.text = value;
    return setting;
}

// Variables that name no option are ignored: for a service named chatserv, Kubernetes sets
// CHATSERV_PORT and CHATSERV_SERVICE_HOST.
Settings read_environment() {
    Settings settings;
    for (const OptionRow& row : option_table())
        if (const auto setting = from_environment(row.variable()))
            settings[row.name].push_back(*setting);
    return settings;
}

// The form of the server's own command line.
CommandForm command_form() {
    CommandForm form;
    for (const OptionRow& row : option_table())
        form.flags.push_back({.name = row.name,
            .allowed = row.kind.allowed,
            .repeats = row.repeats(),
            .without_value = row.kind.without_value});
    form.flags.push_back({config_flag, std::string(allowed_config)});
    form.flags.push_back({check_flag});
    return form;
}

// The configuration file that the command line names, or else the environment.
std::optional<Setting> config_of(const Settings& settings) {
    const auto named = settings.find(config_flag);
    return named == settings.end() ? from_environment(std::string(config_variable))
                                   : std::optional(named->second.front());
}

// The values of one source replace those of the sources before it.
void take(const Settings& settings, Options& options) {
    for (const OptionRow& row : option_table()) {
        const auto found = settings.find(row.name);
        if (found == settings.end())
            continue;
        if (row.repeats())
            row.kind.clear(options);
        for (const Setting& setting : found->second) {
            if (!row.repeats()) {
                row.kind.parse(options, setting);
                continue;
            }
            for (const Setting& item : list_items(setting, row.kind.allowed))
                row.kind.parse(options, item);
        }
    }
}

} // namespace

uint32_t default_workers() {
    return std::clamp(usable_processors(), 2U, workers_max);
}

std::optional<Options> parse_options(int argc, const char* const* argv) {
    const CommandLine line = read_command_line(command_form(), argc, argv);
    if (answer(line.asked, help_text()))
        return std::nullopt;
    Options options;
    if (const auto config = config_of(line.settings)) {
        if (config->text.empty())
            reject_value(*config, std::string(allowed_config));
        take(read_config_file(*config), options);
    }
    take(read_environment(), options);
    take(line.settings, options);
    options.check_config = line.switches.contains(check_flag);
    check_framing(options);
    check_proxies(options);
    check_room(options);
    return options;
}

Options options_from(const std::string& source, const std::string& text) {
    Options options;
    take(parse_config_text(source, text), options);
    return options;
}

std::string describe(const Options& options) {
    std::string lines;
    for (const OptionRow& row : option_table()) {
        const std::string value = row.kind.print(options);
        lines += value.empty() ? fmt::format("# {} is not set: {}\n", row.name, row.by_default)
                               : fmt::format("{} = {}\n", row.name, value);
    }
    return lines;
}

} // namespace chatserv
