// What the answers over the control socket are about.
#pragma once

#include "master/bridge/bridge_process.h"
#include "master/clients/acceptor.h"
#include "master/clients/client_book.h"
#include "master/ledger/ledger.h"
#include "master/metrics/metrics_process.h"
#include "master/reload/reload_book.h"
#include "master/sources/sources.h"
#include "master/upgrade/upgrading.h"
#include "master/workers/balancer.h"
#include "master/workers/draining.h"
#include "master/workers/kicking.h"
#include "master/workers/worker_pool.h"
#include "shared/segment/segment.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>

namespace chatserv {

struct ControlSubjects {
    const Segment& segment;
    const Ledger& ledger;
    const Options& options;
    ClientBook& clients;
    const Acceptor& acceptor;
    WorkerPool& pool;
    const Balancer& balancer;
    Draining& draining;
    Kicking& kicking;
    Upgrading& upgrading;
    const MetricsProcess& metrics;
    BridgeProcess& bridge;
    const Sources& sources;
    ReloadBook& reloads;
    std::function<std::string()> why_no_upgrade; // why there can be none now; empty: there can
    // Asks for a reload. Returns why there will be none; empty: it was asked for.
    std::function<std::string()> ask_for_reload;
    std::chrono::milliseconds hang_limit;
    pid_t server; // the process that users know as the server; its keeper, if it has one
};

} // namespace chatserv
