// Follows a file by its name, as tail -F does, and gives the relay what is appended to it.
//
// The file is read from its end on when it is first opened, or from the place that an earlier
// process has come to; one that takes the name later is read from its beginning, once the former
// one is read to its end. A file that has become shorter than what was read of it was truncated,
// and is read from its beginning. A file that is not there yet is waited for. The changes are told
// by EVFILT_VNODE of the file and its folder (kqueue(2)); on a file system of another machine
// nobody tells of what that machine changes.
#pragma once

#include "master/sources/file_place.h"
#include "shared/system/fd.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

class FileFeed {
public:
    // Opens the folder, and the file if it is there. Throws std::system_error. `place`: where an
    // earlier process of this source has come to. `lifeline`: to the master; borrowed.
    FileFeed(std::string path, const std::optional<FilePlace>& place, int lifeline);

    // Where it reads, which the master is told with the connection, before a byte is fed. If the
    // file is not there yet, it is the place of no file: one that comes is read from its beginning.
    [[nodiscard]] const FilePlace& place() const { return place_; }

    // Feeds this end of the connection to the relay until the relay or the server ends. Returns an
    // empty text then; otherwise why the file cannot be followed any more.
    [[nodiscard]] std::string run(int relay);

private:
    enum class Look { nothing, more, replaced, failed };

    enum class From { end, beginning };
    void open_at(From from, const std::optional<FilePlace>& place = {});
    void say_place() const;
    [[nodiscard]] bool server_is_there() const;
    void watch(int fd, int16_t filter, uint32_t fflags);
    [[nodiscard]] bool copy_all(int relay);
    [[nodiscard]] bool pass_on(int relay, const char* bytes, size_t size);
    [[nodiscard]] Look look_at_name();
    [[nodiscard]] bool wait(int relay);

    std::string path_;
    int lifeline_;
    UniqueFd queue_;
    UniqueFd folder_;
    UniqueFd file_{};
    uint64_t fed_ = 0;  // bytes of the connection
    FilePlace place_{}; // of the reading: its offset is that at which `place_.fed` were fed
    std::string error_{};
};

} // namespace chatserv
