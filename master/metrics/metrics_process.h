// The metrics process, as the master sees it: started when the server serves, started again when it
// has died, ended with the server.
//
// Nobody waits for it, and nobody hears from it. It inherits its listen sockets, and the segment
// and the ledger to read them.
#pragma once

#include "master/companions/companion_process.h"
#include "master/config/options.h"
#include "master/ledger/ledger.h"
#include "master/metrics/metrics_resources.h"
#include "shared/segment/segment.h"
#include "shared/system/event_queue.h"

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace chatserv {

class MetricsProcess {
public:
    using Clock = CompanionProcess::Clock;

    // What is borrowed must outlive this object. `upgrade`: the number of the one whose program
    // this is.
    MetricsProcess(const MetricsResources& resources, const Options& options,
        const Segment& segment, const Ledger& ledger, EventQueue& events, uint32_t upgrade);

    // In a successor, once, before anything else: takes over the process of the dead master. One
    // of another program is ended, and another one takes its place.
    void take_over();

    // NOTE_EXIT of a process. True if it was the metrics process, which is reaped.
    [[nodiscard]] bool handle_exit(pid_t pid);
    // SIGCHLD, before other children are reaped: reaps the metrics process if it is a child of this
    // master and has ended.
    void reap_child();

    // In each turn of the loop. `wanted`: whether there is to be a metrics process now. Starts one
    // that is missing, unless a delay runs; ends one that is not wanted.
    void look(bool wanted);
    // The log is another file now. The process, which has the old one open, is ended, and another
    // one takes its place.
    void renew() { (void)process_.end(); }
    // When the next look is due; nothing where no time matters.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const {
        return process_.next_look();
    }

    // True where a process that an earlier master had started has ended since this was asked last:
    // the keeper may reap it now (may_reap()).
    [[nodiscard]] bool take_may_reap() { return process_.take_may_reap(); }

    [[nodiscard]] const MetricsResources& resources() const { return resources_; }
    [[nodiscard]] pid_t pid() const { return process_.pid(); } // 0: there is none now

private:
    void start();
    void bury();
    [[nodiscard]] ProgramFile::Child described(int lifeline, int segment, int ledger) const;

    const MetricsResources& resources_;
    const Options& options_;
    const Segment& segment_;
    const Ledger& ledger_;
    CompanionProcess process_;
};

} // namespace chatserv
