// What is the same on every system. The calls that are not are in shared_table_*.cpp.
#include "shared/system/shared_table.h"

#include <fcntl.h>
#include <unistd.h>

namespace chatserv {

void grow_descriptor_table(int limit) {
    const int highest = ::fcntl(STDIN_FILENO, F_DUPFD, limit - 1);
    if (highest != -1)
        ::close(highest);
}

} // namespace chatserv
