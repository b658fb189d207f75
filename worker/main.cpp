// chatserv-worker: started by the master, never by hand.
#include "worker/start.h"

int main(int argc, char** argv) {
    return chatserv::start_worker(argc, argv, chatserv::account_of);
}
