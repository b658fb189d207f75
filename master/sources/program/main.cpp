// chatserv-source: started by the master, never by hand.
#include "master/sources/program/start.h"

int main(int argc, char** argv) {
    return chatserv::start_source(argc, argv);
}
