// What a crash point is in the programs that the tests build: where the test has left a file of its
// number in the folder $CHATSERV_CRASH_DIR, the first process to come by removes it and dies; a
// number with ".PID" behind it is for that process alone.
#include "shared/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace chatserv {

void crash_point(CrashPoint point) {
    static const char* const folder = std::getenv("CHATSERV_CRASH_DIR");
    if (folder == nullptr)
        return;
    const std::string for_anyone =
        std::string(folder) + "/" + std::to_string(static_cast<unsigned>(point));
    const std::string for_me = for_anyone + "." + std::to_string(::getpid());
    if (::unlink(for_me.c_str()) == -1 && ::unlink(for_anyone.c_str()) == -1)
        return;
    ::kill(::getpid(), SIGKILL);
    ::pause(); // it does not come back from the line above
}

} // namespace chatserv
