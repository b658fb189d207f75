#include "master/options.h"

#include "config.h"
#include "master/failure.h"
#include "master/keepalive.h"
#include "master/option_values.h"
#include "shared/layout.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/core.h>
#include <sysexits.h>
#include <thread>

namespace chatserv {

namespace {

constexpr uint64_t min_drain_bytes_max = 1024 * 1024 * 1024;

// Every value arrives as text and is judged in option_values.cpp, so that each refusal reads alike.
struct Texts {
    std::vector<std::string> listen;
    std::string users = "10";
    std::string workers =
        std::to_string(std::clamp(std::thread::hardware_concurrency(), 2U, workers_max));
    std::string spares = "1";
    std::string log_size = "4M";
    std::string stall_limit = "5";
    std::string min_drain = "64K";
    std::string slow_policy = "wait";
    std::string hang_limit = "2";
    std::string control;
    std::string log_level = "info";
    std::string log_format = "text";
    std::optional<std::string> log_file{};
    std::string max_per_address = "0";
    std::vector<std::string> allow;
    std::vector<std::string> deny;
    std::string keepalive = "60";
    std::string max_rate = "0";
    std::string idle_timeout = "0";
    std::string user;
};

Options options_of(const Texts& texts) {
    Options options;
    options.listen_by_default = texts.listen.empty();
    options.listen = options.listen_by_default ? addresses_of({"127.0.0.1:9999", "[::1]:9999"})
                                               : addresses_of(texts.listen);
    options.users = count_of("--users", texts.users, 1, users_max);
    options.workers = count_of("--workers", texts.workers, 1, workers_max);
    options.spares = count_of("--spares", texts.spares, 0, spares_max);
    options.log_bytes = bytes_of(
        "--log-size", texts.log_size, log_bytes_min, log_bytes_max, "bytes from 64K to 64G");
    options.stall_limit = limit_of("--stall-limit", texts.stall_limit);
    options.min_drain_bytes = static_cast<uint32_t>(bytes_of(
        "--min-drain", texts.min_drain, 1, min_drain_bytes_max, "bytes a second from 1 to 1G"));
    if (texts.slow_policy != "wait" && texts.slow_policy != "disconnect")
        refuse("--slow-policy", texts.slow_policy, "wait or disconnect");
    options.slow_policy = texts.slow_policy == "wait" ? SlowPolicy::wait : SlowPolicy::disconnect;
    options.hang_limit = limit_of("--hang-limit", texts.hang_limit);
    options.control = control_path_of(texts.control);
    options.max_per_address = count_of("--max-per-address", texts.max_per_address, 0, users_max);
    options.allow = networks_of("--allow", texts.allow);
    options.deny = networks_of("--deny", texts.deny);
    options.keepalive_seconds = count_of("--keepalive", texts.keepalive, 0, keepalive_seconds_max);
    options.max_rate_bytes = static_cast<uint32_t>(bytes_of(
        "--max-rate", texts.max_rate, 0, max_rate_bytes_max, "bytes a second from 0 to 1G"));
    options.idle_timeout = timeout_of(
        "--idle-timeout", texts.idle_timeout, std::chrono::milliseconds(idle_timeout_ms_max));
    options.user = texts.user;
    options.log_level = texts.log_level;
    if (std::find(std::begin(log_levels), std::end(log_levels), texts.log_level) ==
        std::end(log_levels))
        refuse("--log-level", texts.log_level, list_of(log_levels));
    if (texts.log_format != "text" && texts.log_format != "json")
        refuse("--log-format", texts.log_format, "text or json");
    options.log_format = texts.log_format == "json" ? LogFormat::json : LogFormat::text;
    if (texts.log_file && texts.log_file->empty())
        refuse("--log-file", *texts.log_file, "the path of a file");
    options.log_file = texts.log_file.value_or("");
    return options;
}

void declare(CLI::App& app, Texts& texts, std::string& config_file, bool& check_config) {
    app.add_option("--listen", texts.listen,
           "Where to listen; may be repeated [127.0.0.1:9999 and [::1]:9999]")
        ->type_name("ADDR:PORT")
        ->delimiter(',')
        ->envname("CHATSERV_LISTEN");
    const auto add = [&](const char* name, std::string& text, const char* type, const char* env,
                         const std::string& help) {
        app.add_option(name, text, help + " [" + text + "]")->type_name(type)->envname(env);
    };
    add("--users", texts.users, "N", "CHATSERV_USERS",
        fmt::format("How many users there can be at once, 1 to {}", users_max));
    add("--workers", texts.workers, "N", "CHATSERV_WORKERS",
        fmt::format("Worker processes, 1 to {}; by default one per core, at least 2", workers_max));
    add("--spares", texts.spares, "N", "CHATSERV_SPARES",
        fmt::format("Workers that stand by to replace one that dies, 0 to {}", spares_max));
    add("--log-size", texts.log_size, "BYTES", "CHATSERV_LOG_SIZE",
        "How far the slowest reader may be behind, with K, M or G; 64K to 64G");
    add("--stall-limit", texts.stall_limit, "SECONDS", "CHATSERV_STALL_LIMIT",
        "How long one reader may hold everybody back before it is disconnected");
    add("--min-drain", texts.min_drain, "BYTES", "CHATSERV_MIN_DRAIN",
        "... unless it reads so many bytes a second, with K, M or G");
    add("--slow-policy", texts.slow_policy, "POLICY", "CHATSERV_SLOW_POLICY",
        "wait: as above; disconnect: a reader a whole log behind is disconnected at once");
    add("--hang-limit", texts.hang_limit, "SECONDS", "CHATSERV_HANG_LIMIT",
        "A worker that does not answer for that long is killed and replaced");
    app.add_option("--control", texts.control,
           "Where `chatserv stats` and `chaos` reach this server, or none [chatserv-PID.sock in "
           "/run, $XDG_RUNTIME_DIR, $TMPDIR or /tmp]")
        ->type_name("PATH")
        ->envname("CHATSERV_CONTROL");
    add("--log-level", texts.log_level, "LEVEL", "CHATSERV_LOG_LEVEL",
        "Least severity logged: " + list_of(log_levels));
    add("--log-format", texts.log_format, "FORMAT", "CHATSERV_LOG_FORMAT",
        "Log lines for people (text) or programs (json)");
    app.add_option("--log-file", texts.log_file,
           "Append the log to this file, and open it again on SIGHUP [standard error]")
        ->type_name("PATH")
        ->envname("CHATSERV_LOG_FILE");
    add("--max-per-address", texts.max_per_address, "N", "CHATSERV_MAX_PER_ADDRESS",
        "Users at once from one IPv4 address or IPv6 /64; 0 for any number");
    const auto add_networks = [&](const char* name, std::vector<std::string>& networks,
                                  const char* env, const char* help) {
        app.add_option(name, networks, help)->type_name("CIDR")->delimiter(',')->envname(env);
    };
    add_networks("--allow", texts.allow, "CHATSERV_ALLOW",
        "Let nobody in but from this network or address; may be repeated");
    add_networks("--deny", texts.deny, "CHATSERV_DENY",
        "Let nobody in from this network or address, even if allowed; may be repeated");
    add("--keepalive", texts.keepalive, "SECONDS", "CHATSERV_KEEPALIVE",
        "Disconnect a user whose machine has been silent for about that long; 0 for never");
    add("--max-rate", texts.max_rate, "BYTES", "CHATSERV_MAX_RATE",
        "Read no more bytes a second from one user, with K, M or G; 0 for any number");
    add("--idle-timeout", texts.idle_timeout, "SECONDS", "CHATSERV_IDLE_TIMEOUT",
        "Disconnect a user that has sent nothing for that long; 0 for never");
    app.add_option("--user", texts.user,
           "Whose rights the workers have; root alone can choose [nobody, if started as root]")
        ->type_name("NAME")
        ->envname("CHATSERV_USER");
    app.add_option("--config", config_file, "Read options from FILE, one `name = value` a line")
        ->type_name("FILE")
        ->envname("CHATSERV_CONFIG")
        ->configurable(false);
    app.add_flag("--check-config", check_config, "Say what options are in force, and exit")
        ->configurable(false);
    app.set_version_flag("--version", "chatserv " CHATSERV_VERSION, "Print the version, and exit")
        ->configurable(false);
    app.set_help_flag("-h,--help", "Print this help, and exit")->configurable(false);
}

// Takes from the file what neither a flag nor the environment has said.
void read_config_file(CLI::App& app, const std::string& file) {
    std::vector<CLI::ConfigItem> items;
    try {
        items = CLI::ConfigBase().from_file(file);
    } catch (const CLI::FileError&) {
        throw Failure(EX_NOINPUT, fmt::format("--config \"{}\": cannot be read", file));
    } catch (const CLI::Error& failure) {
        throw Failure(EX_CONFIG, fmt::format("{}: {}", file, failure.what()));
    }
    for (const CLI::ConfigItem& item : items) {
        CLI::Option* const option = app.get_option_no_throw("--" + item.name);
        if (option == nullptr || !option->get_configurable() || !item.parents.empty())
            throw Failure(
                EX_CONFIG, fmt::format("{}: there is no option \"{}\" for a configuration file",
                               file, item.fullname()));
        if (option->count() > 0)
            continue;
        for (const std::string& input : item.inputs)
            option->add_result(input);
        option->run_callback();
    }
}

} // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
    CLI::App app("A TCP chat relay for netcat: whatever one user sends goes to all the others.\n"
                 "Each option can also be set in the environment and in a file: flags come before\n"
                 "environment before file.",
        "chatserv");
    app.footer(
        "chatserv stats   prints what the running server has counted, as JSON\n"
        "                 (chatserv stats --help)\n"
        "chatserv chaos   kills workers of the running server at random, and prints how long each\n"
        "                 takeover took (chatserv chaos --help)");
    Texts texts;
    std::string config_file;
    bool check_config = false;
    declare(app, texts, config_file, check_config);
    try {
        app.parse(argc, argv);
        if (!config_file.empty())
            read_config_file(app, config_file);
    } catch (const CLI::Success& asked_for_text) {
        app.exit(asked_for_text); // prints help or version
        return std::nullopt;
    } catch (const CLI::Error& failure) {
        throw Failure(EX_USAGE, fmt::format("{} (see chatserv --help)", failure.what()));
    }
    Options options = options_of(texts);
    options.check_config = check_config;
    return options;
}

std::string describe(const Options& options) {
    const auto list = [](const char* name, const auto& items) {
        std::vector<std::string> quoted;
        for (const auto& item : items)
            quoted.push_back(fmt::format("\"{}\"", item.text()));
        return quoted.empty() ? "" : fmt::format("{} = [{}]\n", name, list_of(quoted));
    };
    return list("listen", options.listen) +
           fmt::format("users = {}\nworkers = {}\nspares = {}\nlog-size = {}\nstall-limit = {}\n"
                       "min-drain = {}\nslow-policy = {}\nhang-limit = {}\ncontrol = \"{}\"\n"
                       "log-level = {}\nlog-format = {}\n",
               options.users, options.workers, options.spares, options.log_bytes,
               static_cast<double>(options.stall_limit.count()) / 1000, options.min_drain_bytes,
               options.slow_policy == SlowPolicy::wait ? "wait" : "disconnect",
               static_cast<double>(options.hang_limit.count()) / 1000, options.control,
               options.log_level, options.log_format == LogFormat::json ? "json" : "text") +
           fmt::format("max-per-address = {}\nkeepalive = {}\nmax-rate = {}\nidle-timeout = {}\n",
               options.max_per_address, options.keepalive_seconds, options.max_rate_bytes,
               static_cast<double>(options.idle_timeout.count()) / 1000) +
           (options.log_file.empty() ? "" : fmt::format("log-file = \"{}\"\n", options.log_file)) +
           list("allow", options.allow) + list("deny", options.deny) +
           (options.user.empty() ? "" : fmt::format("user = \"{}\"\n", options.user));
}

} // namespace chatserv
