#include "shared/system/logging.h"

#include "shared/system/log_sink.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/os.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

namespace chatserv {

namespace {

// More than the prefix of a line and its JSON members take.
constexpr size_t frame_bytes_max = 160;
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

class StandardError final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    StandardError(std::string process, LogFormat format) :
        process_(std::move(process)), format_(format) {}

    void say_dropped() {
        standard_error_sink().say_dropped([this](uint64_t dropped) { return notice(dropped); });
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        standard_error_sink().write(std::string_view(line.data(), line.size()),
            [this](uint64_t dropped) { return notice(dropped); });
    }
    void flush_() override {}

private:
    std::string notice(uint64_t dropped) {
        const std::string payload = payload_of(format_, "log_dropped",
            std::to_string(dropped) +
                " lines of the log were dropped: its reader did not take them",
            {{"dropped", static_cast<int64_t>(dropped)}});
        spdlog::memory_buf_t line;
        formatter_->format(spdlog::details::log_msg(process_, spdlog::level::warn, payload), line);
        return {line.data(), line.size()};
    }

    std::string process_;
    LogFormat format_;
};

struct Log {
    std::shared_ptr<StandardError> sink;
    std::unique_ptr<spdlog::logger> logger;
    LogFormat format = LogFormat::text;
};

Log& process_log() {
    static Log log;
    return log;
}

void write_line(
    spdlog::level::level_enum level, const char* event, const std::string& text, LogFields fields) {
    const Log& log = process_log();
    if (log.logger == nullptr || !log.logger->should_log(level))
        return;
    log.logger->log(level, payload_of(log.format, event, text, fields));
}

} // namespace

void set_up_logging(const std::string& process, const std::string& level, LogFormat format) {
    auto sink = std::make_shared<StandardError>(process, format);
    auto logger = std::make_unique<spdlog::logger>(process, sink);
    const char* const pattern =
        format == LogFormat::json
            ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","process":"%n",%v})"
            : "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v";
    logger->set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    logger->set_level(spdlog::level::from_str(level));
    // spdlog's own message about an error would block if standard error is not read.
    logger->set_error_handler([](const std::string&) {});
    (void)standard_error_sink(); // opened here, while a worker may still open something
    // The first conversion of a time makes the C library read a file. A confined worker may not do
    // that, so it is done now.
    (void)spdlog::details::os::gmtime();
    process_log() = {std::move(sink), std::move(logger), format};
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
