// Log lines: one event each, to standard error, for people (text) or for programs (json).
//
//     2026-11-23T09:00:00.123Z info master: user 0 joined from 127.0.0.1:5555 on worker 1
//     {"time":"2026-11-23T09:00:00.123Z","level":"info","process":"master",
//      "message":"user 0 joined from 127.0.0.1:5555 on worker 1","event":"joined","slot":0, ...}
//
// (one line each). The text says everything; the fields say it once more for programs. Never
// anything of what users send.
//
// No process ever waits for the log's reader (log_sink.h): a line that is not taken at once is
// dropped, and the line `log_dropped` says how many were.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace chatserv {

enum class LogFormat { text, json };

// The names that set_up_logging() takes for a level, in rising order of silence.
inline constexpr std::string_view log_levels[] = {"debug", "info", "warning", "error", "off"};

// `process`: who speaks, for example "master". `level`: one of log_levels.
void set_up_logging(const std::string& process, const std::string& level, LogFormat format);

// The descriptor beside standard error that the log needs to stay open; -1 for none.
[[nodiscard]] int log_descriptor();
// Standard error has become another file, of chatserv's own: non-blocking, or a regular file.
void log_goes_to_new_file();
// Says how many lines were dropped since the last that went out, if any were and the log takes
// lines again. For a process that has nothing else to say, or comes to its end.
void say_dropped_lines();

using LogFields =
    std::initializer_list<std::pair<const char*, std::variant<int64_t, double, std::string>>>;

// `event` is the line's kind, a word that stays the same whatever the text says.
void log_debug(const char* event, const std::string& text, LogFields fields = {});
void log_info(const char* event, const std::string& text, LogFields fields = {});
void log_warning(const char* event, const std::string& text, LogFields fields = {});
void log_error(const char* event, const std::string& text, LogFields fields = {});

} // namespace chatserv
