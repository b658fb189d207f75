#include "shared/logging.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/details/os.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace chatserv {

namespace {

struct Log {
    std::unique_ptr<spdlog::logger> logger;
    LogFormat format = LogFormat::text;
};

Log& process_log() {
    static Log log;
    return log;
}

// The members of a JSON object, without its braces: the pattern has the others.
std::string json_members(const char* event, const std::string& text, LogFields fields) {
    nlohmann::ordered_json object;
    object["message"] = text;
    object["event"] = event;
    for (const auto& [name, value] : fields)
        std::visit([&, key = name](const auto& held) { object[key] = held; }, value);
    const std::string dump =
        object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return dump.substr(1, dump.size() - 2);
}

void write_line(
    spdlog::level::level_enum level, const char* event, const std::string& text, LogFields fields) {
    const Log& log = process_log();
    if (log.logger == nullptr || !log.logger->should_log(level))
        return;
    log.logger->log(
        level, log.format == LogFormat::json ? json_members(event, text, fields) : text);
}

} // namespace

void set_up_logging(const std::string& process, const std::string& level, LogFormat format) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    auto logger = std::make_unique<spdlog::logger>(process, std::move(sink));
    const char* const pattern =
        format == LogFormat::json
            ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","process":"%n",%v})"
            : "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v";
    logger->set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::debug);
    // The first time of day to be converted has the C library read a file, which a worker may not
    // do any more when it has something to say.
    (void)spdlog::details::os::gmtime();
    process_log() = {std::move(logger), format};
}

void log_debug(const char* event, const std::string& text, LogFields fields) {
    write_line(spdlog::level::debug, event, text, fields);
}

void log_info(const char* event, const std::string& text, LogFields fields) {
    write_line(spdlog::level::info, event, text, fields);
}

void log_warning(const char* event, const std::string& text, LogFields fields) {
    write_line(spdlog::level::warn, event, text, fields);
}

void log_error(const char* event, const std::string& text, LogFields fields) {
    write_line(spdlog::level::err, event, text, fields);
}

} // namespace chatserv
