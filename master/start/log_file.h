// The file of --log-file. While it is open, it is the standard error of the master and of every
// worker that the master starts. Running workers get it by a message.
//
// Opening the file never waits. If it is a FIFO, it may have no reader: the master holds a reading
// end itself, so lines wait in the FIFO for a reader, or are dropped when the FIFO is full.
#pragma once

#include "shared/system/fd.h"

#include <string>

namespace chatserv {

class LogFile {
public:
    // Opens the file for appending, or makes it (mode 0640, less the umask), and makes it standard
    // error. Does nothing if `path` is empty. Throws Failure(EX_CANTCREAT).
    explicit LogFile(std::string path);
    // Restores standard error, so that the last lines reach the terminal or service manager that
    // started the server.
    ~LogFile();
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    [[nodiscard]] bool in_use() const { return !path_.empty(); }
    [[nodiscard]] const std::string& path() const { return path_; }

    // Opens the path again. If the old file was renamed, this opens a new one. Returns 0, or an
    // errno; on failure the old file stays in use.
    [[nodiscard]] int open_again();

private:
    std::string path_;
    UniqueFd former_; // standard error as it was at the start
    UniqueFd reader_; // if the file is a FIFO
};

} // namespace chatserv
