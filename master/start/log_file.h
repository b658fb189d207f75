// What --log-file names: a file, or the system's log (system_log.h). While it is open, it is the
// standard error of the master and of every worker that the master starts. Running workers get
// another file by a message; the socket to the system's log stays the same one.
//
// Opening the file never waits. If it is a FIFO, it may have no reader: the master holds a reading
// end itself, so lines wait in the FIFO for a reader, or are dropped when the FIFO is full.
#pragma once

#include "master/config/options.h"
#include "shared/system/fd.h"

#include <string>

namespace chatserv {

class LogFile {
public:
    // Opens the file for appending, or makes it (mode 0640, less the umask), or connects to the
    // system's log, and makes that standard error. Does nothing if `path` is empty. Throws
    // Failure(EX_CANTCREAT).
    explicit LogFile(std::string path);
    // As another program of this process had it: standard error is the file already. `former` and
    // `reader`: as former_fd() and reader_fd() had them.
    LogFile(std::string path, UniqueFd former, UniqueFd reader);
    // Restores standard error, so that the last lines reach the terminal or service manager that
    // started the server.
    ~LogFile() { restore(); }
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    // The same while the object lives on: for a process that ends without destructors.
    void restore();

    [[nodiscard]] bool in_use() const { return !path_.empty(); }
    // A file, which open_again() opens: not the system's log.
    [[nodiscard]] bool is_file() const { return in_use() && path_ != system_log_word; }
    [[nodiscard]] const std::string& path() const { return path_; }

    // Two descriptors that stay the same as long as the object lives, or -1.
    [[nodiscard]] int former_fd() const { return former_.get(); }
    [[nodiscard]] int reader_fd() const { return reader_.get(); }

    // Opens the path again. If the old file was renamed, this opens a new one. Returns 0, or an
    // errno; on failure the old file stays in use. Only for a file.
    [[nodiscard]] int open_again();

private:
    std::string path_;
    UniqueFd former_; // standard error as it was at the start
    // If the file is a FIFO; otherwise it stands in for one, so that its number never changes.
    UniqueFd reader_;
};

} // namespace chatserv
