#include "shared/system/logging.h"

#include "shared/system/handler_line.h"
#include "shared/system/log_sink.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/os.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

// More than the prefix of a line and its JSON members take.
constexpr size_t frame_bytes_max = 160;
constexpr std::chrono::milliseconds look_interval{50};
constexpr size_t text_bytes_max = log_line_bytes_max - frame_bytes_max;

// The members of a JSON object, without the braces: the pattern has those, and the other members.
std::string json_members(const char* event, std::string_view text, LogFields fields) {
    nlohmann::ordered_json object;
    object["message"] = text;
    object["event"] = event;
    for (const auto& [name, value] : fields)
        std::visit([&, key = name](const auto& held) { object[key] = held; }, value);
    const std::string dump =
        object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return dump.substr(1, dump.size() - 2);
}

// Shortens the payload until the line is a whole object that fits: it first drops the fields, which
// the text repeats, and then cuts the text.
std::string short_json_members(const char* event, std::string_view text, LogFields fields) {
    std::string members = json_members(event, text, fields);
    if (members.size() > text_bytes_max)
        members = json_members(event, text, {});
    while (members.size() > text_bytes_max && !text.empty()) {
        text = whole_characters(text, text.size() / 2);
        members = json_members(event, text, {});
    }
    return members;
}

std::string payload_of(
    LogFormat format, const char* event, const std::string& text, LogFields fields) {
    return format == LogFormat::json ? short_json_members(event, text, fields) : text;
}

Severity severity_of(spdlog::level::level_enum level) {
    switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
        return Severity::debug;
    case spdlog::level::warn:
        return Severity::warning;
    case spdlog::level::err:
    case spdlog::level::critical:
        return Severity::error;
    default:
        return Severity::info;
    }
}

class StandardError final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    StandardError(std::string process, LogFormat format) :
        process_(std::move(process)), format_(format) {}

    void say_dropped() {
        standard_error_sink().say_dropped([this](uint64_t dropped) { return notice(dropped); });
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        standard_error_sink().write(
            line_of(message), [this](uint64_t dropped) { return notice(dropped); });
    }
    void flush_() override {}

private:
    std::string line_of(const spdlog::details::log_msg& message) {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        return line_head(standard_error_sink().reader(), severity_of(message.level))
            .append(line.data(), line.size());
    }

    std::string notice(uint64_t dropped) {
        const std::string payload = payload_of(format_, "log_dropped",
            std::to_string(dropped) +
                " lines of the log were dropped: its reader did not take them",
            {{"dropped", static_cast<int64_t>(dropped)}});
        return line_of(spdlog::details::log_msg(process_, spdlog::level::warn, payload));
    }

    std::string process_;
    LogFormat format_;
};

constexpr const char* json_pattern =
    R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","process":"%n",%v})";

// The journal and syslogd add the time themselves. A JSON object keeps its time, so that it is the
// same wherever it is read.
const char* pattern_of(LogFormat format, LogReader reader) {
    if (format == LogFormat::json)
        return json_pattern;
    return reader == LogReader::any ? "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v" : "%l %n: %v";
}

struct Log {
    std::shared_ptr<StandardError> sink;
    std::unique_ptr<spdlog::logger> logger;
    std::string name{};
    std::string level{};
    LogFormat format = LogFormat::text;
    bool keeps_events = false;
    size_t kept_bytes = 0;
    KeptEvents kept{};
};

Log& process_log() {
    static Log log;
    return log;
}

void keep_event(Log& log, spdlog::level::level_enum level, const std::string& members) {
    static spdlog::pattern_formatter formatter(json_pattern, spdlog::pattern_time_type::utc, "");
    spdlog::memory_buf_t line;
    formatter.format(spdlog::details::log_msg(log.name, level, members), line);
    if (log.kept_bytes + line.size() > kept_bytes_max) {
        ++log.kept.lost;
        return;
    }
    log.kept_bytes += line.size();
    log.kept.lines.emplace_back(line.data(), line.size());
}

void write_line(
    spdlog::level::level_enum level, const char* event, const std::string& text, LogFields fields) {
    Log& log = process_log();
    if (log.keeps_events && level >= spdlog::level::info)
        keep_event(log, level, short_json_members(event, text, fields));
    if (log.logger == nullptr || !log.logger->should_log(level))
        return;
    log.logger->log(level, payload_of(log.format, event, text, fields));
}

} // namespace

void set_up_logging(const std::string& process, const std::string& level, LogFormat format) {
    auto sink = std::make_shared<StandardError>(process, format);
    auto logger = std::make_unique<spdlog::logger>(process, sink);
    // The sink is opened here, while a worker may still open something.
    const LogReader reader = standard_error_sink().reader();
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        pattern_of(format, reader), spdlog::pattern_time_type::utc));
    begin_handler_lines_with(line_head(reader, Severity::error));
    logger->set_level(spdlog::level::from_str(level));
    // spdlog's own message about an error would block if standard error is not read.
    logger->set_error_handler([](const std::string&) {});
    // The first conversion of a time makes the C library read a file. A confined worker may not do
    // that, so it is done now.
    (void)spdlog::details::os::gmtime();
    process_log() = {std::move(sink), std::move(logger), process, level, format};
}

void change_logging(const std::string& level, LogFormat format) {
    Log& log = process_log();
    if (log.logger == nullptr || (log.level == level && log.format == format))
        return;
    Log former = std::move(log);
    set_up_logging(former.name, level, format);
    log.keeps_events = former.keeps_events;
    log.kept_bytes = former.kept_bytes;
    log.kept = std::move(former.kept);
}

void keep_events(bool keep) {
    process_log().keeps_events = keep;
}

KeptEvents take_kept_events() {
    process_log().kept_bytes = 0;
    return std::exchange(process_log().kept, {});
}

int log_descriptor() {
    return standard_error_sink().own_descriptor();
}

void log_goes_to_new_file() {
    standard_error_sink().adopt(STDERR_FILENO);
}

void say_dropped_lines() {
    if (process_log().sink != nullptr)
        process_log().sink->say_dropped();
}

std::optional<std::chrono::steady_clock::time_point> next_look_at_log() {
    if (!standard_error_sink().has_waiting_lines())
        return std::nullopt;
    return std::chrono::steady_clock::now() + look_interval;
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
