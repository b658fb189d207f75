// chatserv-bridge: started by the master, never by hand.
#include "bridge/start.h"

#include <unistd.h>

// No destructor runs: threads may still be in the library's calls, which nothing can end.
int main(int argc, char** argv) {
    ::_exit(chatserv::start_bridge(argc, argv));
}
