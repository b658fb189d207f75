// Hearing: what follows from each word of a worker process, in the books of the workforce's parts.
//
// A word is believed as far as it concerns its sender and the clients of the sender's entry. One
// that no worker says, or that the books show to be untrue, ends its sender.
#pragma once

#include "master/clients/client_book.h"
#include "master/workers/balancer.h"
#include "master/workers/client_dispatch.h"
#include "master/workers/draining.h"
#include "master/workers/kicking.h"
#include "master/workers/log_file_dispatch.h"
#include "master/workers/moving.h"
#include "master/workers/renewal.h"
#include "master/workers/staffing.h"
#include "master/workers/standing_orders.h"
#include "master/workers/succession.h"
#include "master/workers/worker_messages.h"
#include "master/workers/worker_pool.h"
#include "master/workers/worker_rights.h"

#include <span>

namespace chatserv {

class Hearing {
public:
    // The parts whose books are concerned.
    struct Books {
        const Segment& segment;
        ClientBook& clients;
        WorkerPool& pool;
        Renewal& renewal;
        ClientDispatch& dispatch;
        LogFileDispatch& log_file_dispatch;
        Succession& succession;
        Staffing& staffing;
        StandingOrders& orders;
        Moving& moving;
        Kicking& kicking;
        const Draining& draining;
        const Balancer& balancer;
        WorkerRights& rights;
    };

    explicit Hearing(const Books& books) : books_(books) {}

    // False where no worker says such a thing: the process is to be ended.
    [[nodiscard]] bool hear(WorkerProcess& process, const WorkerMessage& said);

private:
    [[nodiscard]] bool greet(WorkerProcess& process, const Hello& hello);
    void end_introduction(WorkerProcess& process);
    [[nodiscard]] bool move(
        const WorkerProcess& process, EntryId from, std::span<const ClientId> handed_over);

    Books books_;
};

} // namespace chatserv
