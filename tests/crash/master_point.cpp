// What a master point is in the programs that the tests build. Where the test has left a file in
// the folder $CHATSERV_CRASH_DIR, the first process that comes to that point removes it and dies
// (SIGKILL). Its name is "master-N", N being the point's number.
#include "master/ledger/master_point.h"

#include <csignal>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace chatserv {

void master_point(MasterPoint point) {
    static const char* const folder = std::getenv("CHATSERV_CRASH_DIR");
    if (folder == nullptr)
        return;
    const std::string order =
        std::string(folder) + "/master-" + std::to_string(static_cast<unsigned>(point));
    if (::unlink(order.c_str()) == -1)
        return;
    ::kill(::getpid(), SIGKILL);
    ::pause(); // the line above never returns
}

} // namespace chatserv
