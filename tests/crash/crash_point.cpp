// What a crash point is in the programs that the tests build. Where the test has left a file in the
// folder $CHATSERV_CRASH_DIR, a process that comes by does what its name says, N being the point's
// number:
//
//     N            removes the file and dies (SIGKILL)
//     N.PID        the same, for that process alone; the file `first` is removed as well
//     N.after      as N, once there is no file `first`
//     N.spin       removes the file and goes round and round for ever
//     N.fail       fails (exit status 1); the file stays, so others will fail as well
//     N.forbidden  removes the file and asks for a socket, which no worker may have
#include "shared/segment/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

void crash_point(CrashPoint point) {
    static const char* const folder = std::getenv("CHATSERV_CRASH_DIR");
    if (folder == nullptr)
        return;
    const std::string for_anyone =
        std::string(folder) + "/" + std::to_string(static_cast<unsigned>(point));
    const std::string for_me = for_anyone + "." + std::to_string(::getpid());
    if (::access((for_anyone + ".fail").c_str(), F_OK) == 0)
        ::_exit(1);
    if (::unlink((for_anyone + ".spin").c_str()) == 0)
        for (static volatile bool forever = true; forever;) {
        }
    if (::unlink((for_anyone + ".forbidden").c_str()) == 0)
        (void)::socket(AF_INET, SOCK_STREAM, 0);
    const std::string first = std::string(folder) + "/first";
    const bool is_mine = ::unlink(for_me.c_str()) == 0;
    if (is_mine)
        (void)::unlink(first.c_str());
    else if (::unlink(for_anyone.c_str()) == -1 &&
             (::access(first.c_str(), F_OK) == 0 ||
                 ::unlink((for_anyone + ".after").c_str()) == -1))
        return;
    ::kill(::getpid(), SIGKILL);
    ::pause(); // the line above never returns
}

} // namespace chatserv
