// The log file of --log-file. While one is open it is standard error: of the master, of every
// worker that it starts, and by a message of the workers that run.
//
// Opening it never waits. A FIFO may have no reader: the master holds a reading end itself, so its
// lines wait in the FIFO for a reader, or are dropped when that is full.
#pragma once

#include "shared/system/fd.h"

#include <string>

namespace chatserv {

class LogFile {
public:
    // Opens the file for appending, or makes it (mode 0640, less the umask), and puts it in the
    // place of standard error. Nothing where `path` is empty. Throws Failure(EX_CANTCREAT).
    explicit LogFile(std::string path);
    // Puts standard error back where it was, so that the last words can be told to whoever started
    // the server.
    ~LogFile();
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    [[nodiscard]] bool in_use() const { return !path_.empty(); }
    [[nodiscard]] const std::string& path() const { return path_; }

    // Opens the path again: another file, where the old one was renamed. Returns 0, or the errno
    // with which that failed; then the old file is kept.
    [[nodiscard]] int open_again();

private:
    std::string path_;
    UniqueFd former_; // standard error, as it was at the start
    UniqueFd reader_; // of a FIFO
};

} // namespace chatserv
