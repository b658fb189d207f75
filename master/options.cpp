#include "master/options.h"

#include "config.h"
#include "master/command_line.h"
#include "master/config_file.h"
#include "master/help.h"
#include "master/option_table.h"
#include "shared/layout.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <sysexits.h>
#include <thread>

namespace chatserv {

namespace {

// The value of a variable; nothing where it is not set, or empty.
std::optional<Setting> from_environment(const std::string& variable) {
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0')
        return std::nullopt;
    Setting setting;
    setting.place.text = variable;
    setting.text = value;
    return setting;
}

// Variables with other names than the options' are left alone: where a service is called chatserv,
// Kubernetes sets CHATSERV_PORT and CHATSERV_SERVICE_HOST.
Settings read_environment() {
    Settings settings;
    for (const OptionRow& row : option_table())
        if (const auto setting = from_environment(row.variable()))
            settings[row.name].push_back(*setting);
    return settings;
}

// What one source says replaces what sources before it have said.
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
    return std::clamp(std::thread::hardware_concurrency(), 2U, workers_max);
}

std::optional<Options> parse_options(int argc, const char* const* argv) {
    const CommandLine line = read_command_line(argc, argv);
    if (!line.asked_for.empty()) {
        std::fputs(
            line.asked_for == "help" ? help_text().c_str() : "chatserv " CHATSERV_VERSION "\n",
            stdout);
        return std::nullopt;
    }
    Options options;
    if (const auto config =
            line.config ? line.config : from_environment(std::string(config_variable))) {
        if (config->text.empty())
            refuse(*config, std::string(allowed_config));
        take(read_config_file(*config), options);
    }
    take(read_environment(), options);
    take(line.settings, options);
    options.check_config = line.check_config;
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
