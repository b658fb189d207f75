// Retiring: the end of the worker processes that are too many, because a reload has made the
// workers or the spares fewer.
//
// A worker that is out of service is ended when its last client has moved to another worker
// (Draining), and its entry gets no other process. A spare is ended at once. What has to be ended
// follows from the options in force and from the books, so a master that dies in the midst of it
// leaves its successor nothing else to find (MW16).
#pragma once

#include "master/workers/succession.h"
#include "master/workers/worker_pool.h"

#include <string_view>

namespace chatserv {

class Retiring {
public:
    Retiring(WorkerPool& pool, Succession& succession) : pool_(pool), succession_(succession) {}

    // Why the log says that a process has ended. A death for this reason is none to warn of.
    static constexpr std::string_view cause = "a reload has made the workers fewer";

    // In each turn of the loop, and when a worker has died: ends the processes that are too many,
    // and closes the books on entries whose processes have ended.
    void look();
    // The server stops, and ends every process itself.
    void stop() { stopped_ = true; }

private:
    void look_at(EntryId entry);
    void end_a_spare();

    WorkerPool& pool_;
    Succession& succession_;
    bool stopped_ = false;
};

} // namespace chatserv
