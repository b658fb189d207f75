#include "shared/system/standard_streams.h"

#include "shared/system/errors.h"

#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace chatserv {

UniqueFd open_nothing_to_read() {
    UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return nothing ? std::move(nothing) : make_pipe().first;
}

UniqueFd open_nothing_to_write() {
    UniqueFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    return nothing ? std::move(nothing) : make_pipe().second;
}

void occupy_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) != -1)
            continue;
        UniqueFd nothing = fd == STDERR_FILENO ? open_nothing_to_write() : open_nothing_to_read();
        if (nothing.get() == fd)
            set_close_on_exec(nothing.release(), false);
        else if (::dup2(nothing.get(), fd) == -1)
            throw_errno("standard streams");
    }
}

} // namespace chatserv
