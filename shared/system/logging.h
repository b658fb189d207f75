// Log lines: one event each, to standard error, for people (text) or for programs (json).
//
//     2026-11-23T09:00:00.123Z info master: user 0 joined from 127.0.0.1:5555 on worker 1
//     {"time":"2026-11-23T09:00:00.123Z","level":"info","process":"master",
//      "message":"user 0 joined from 127.0.0.1:5555 on worker 1","event":"joined","slot":0, ...}
//
// (one line each). Where the journal or syslogd reads standard error, a line begins as log_reader.h
// says, and a text line has no time. The text is complete; the fields repeat it for programs. A
// line never contains bytes that users send.
//
// No process ever waits for the log's reader (log_sink.h): a line that the system does not take at
// once is dropped, and the line `log_dropped` reports how many were.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace chatserv {

enum class LogFormat { text, json };

// The names of the levels, for set_up_logging(); each level logs less than the one before.
inline constexpr std::string_view log_levels[] = {"debug", "info", "warning", "error", "off"};

// `process`: the name in each line, for example "master". `level`: one of log_levels.
void set_up_logging(const std::string& process, const std::string& level, LogFormat format);
// After set_up_logging(): another level and format, for a process that runs. Nothing else changes.
// Does nothing if both are in force.
void change_logging(const std::string& level, LogFormat format);

// The descriptor beside standard error that the log needs to stay open; -1 for none.
[[nodiscard]] int log_descriptor();
// To be called after standard error was replaced by a file that only chatserv uses: a regular file,
// or a non-blocking one.
void log_goes_to_new_file();
// Writes the line that reports how many lines were dropped since the last one that was written, if
// any were and the log takes lines again. For a process that has nothing else to log, or ends.
void say_dropped_lines();
// When say_dropped_lines() is to be called, because lines wait for syslogd; nothing if none do.
[[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_look_at_log();

// The events of this process for programs that follow them, beside the log: all from level info
// on, whatever the log's own level, as JSON objects in one line each. They are kept only while
// somebody asks for them, up to `kept_bytes_max` between two looks.
inline constexpr size_t kept_bytes_max = 256 * 1024;
void keep_events(bool keep);
struct KeptEvents {
    std::vector<std::string> lines{};
    uint64_t lost = 0; // that were too many to be kept
};
// Those that have happened since this was asked last.
[[nodiscard]] KeptEvents take_kept_events();

using LogFields =
    std::initializer_list<std::pair<const char*, std::variant<int64_t, double, std::string>>>;

// `event`: the kind of the line, one word that does not change with the text.
void log_debug(const char* event, const std::string& text, LogFields fields = {});
void log_info(const char* event, const std::string& text, LogFields fields = {});
void log_warning(const char* event, const std::string& text, LogFields fields = {});
void log_error(const char* event, const std::string& text, LogFields fields = {});

} // namespace chatserv
