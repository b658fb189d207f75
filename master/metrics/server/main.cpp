// chatserv-metrics: started by the master, never by hand.
#include "master/metrics/server/start.h"

int main(int argc, char** argv) {
    return chatserv::start_metrics(argc, argv);
}
