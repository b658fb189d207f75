// Who reads standard error, as far as a line has to look different for that reader.
//
//     any      a person, a file, a program: the line as logging.h has it
//     journal  systemd-journald(8): a line begins with its priority, `<6>` (sd-daemon(3)). The
//     journal
//              adds the time
//     syslog   syslogd(8): a line begins with facility, priority and sender, `<30>chatserv[77]: `
//              (RFC 3164, 4.1). syslogd adds the time
#pragma once

#include <string>

namespace chatserv {

enum class LogReader { any, journal, syslog };

// How urgent a line is, by the numbers of syslog(3).
enum class Severity { error = 3, warning = 4, info = 6, debug = 7 };

// Looks at the descriptor and at $JOURNAL_STREAM, systemd.exec(5): fstat(2), getsockopt(2). A
// datagram socket is syslogd's: no other reader is reached by one.
[[nodiscard]] LogReader log_reader_of(int fd);

// What a line begins with.
[[nodiscard]] std::string line_head(LogReader reader, Severity severity);

} // namespace chatserv
