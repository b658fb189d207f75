// The bridge (bridge/), as the master sees it: started when the server serves, watched, started
// again when it has died or hangs, ended with the server.
//
// Nobody waits for it, and it says nothing to the master but what it reports in the segment. It
// inherits the segment, the doorbells and its settings.
//
// It appends to the broadcast log, so its death is recovered as a worker's is: its exit is noted,
// then it is reaped, then both logs are repaired, and only then its seat is empty. A successor that
// finds the seat does all of it again.
#pragma once

#include "master/bridge/bridge_resources.h"
#include "master/clients/counters.h"
#include "master/companions/companion_process.h"
#include "master/workers/hang_judge.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/room_words.h"
#include "shared/segment/segment.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

// A bridge that has died or hung, and its successor at work.
struct FinishedBridge {
    pid_t pid;           // of the successor
    double milliseconds; // from the death, or the signal that caused it, in served time
};

class BridgeProcess {
public:
    using Clock = CompanionProcess::Clock;

    // What is borrowed here must outlive this object.
    struct Server {
        const BridgeResources& resources;
        const Options& options;
        const Segment& segment;
        const Ledger& ledger;
        const std::vector<FdPair>& doorbells; // by entry; the bridge's is the last one
        EventQueue& events;
        ServedClock& clock;
        uint32_t upgrade; // number of the one whose program this is
    };
    explicit BridgeProcess(const Server& server);

    // In a successor, once, before anything else: takes over the process of the dead master. One
    // of another program is ended, and another one takes its place.
    void take_over();

    // NOTE_EXIT of a process. True if it was the bridge, which is reaped.
    [[nodiscard]] bool handle_exit(pid_t pid);
    // SIGCHLD, before other children are reaped: reaps the bridge if it is a child of this master
    // and has ended.
    void reap_child();

    // In each turn of the loop. `wanted`: whether there is to be a bridge now. Starts one that is
    // missing, unless a delay runs or the room is over; ends one that hangs or is not wanted.
    void look(bool wanted);
    // The log is another one now. The process, which has the old one, is ended, and another one
    // takes its place.
    void renew() { end("for the new log"); }
    // When the next look is due; nothing where no time matters.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;

    // True where a process that an earlier master had started has ended since this was asked last:
    // the keeper may reap it now (may_reap()).
    [[nodiscard]] bool take_may_reap() { return process_.take_may_reap(); }
    // The takeover that came to its end since this was asked last.
    [[nodiscard]] std::optional<FinishedBridge> take_finished() {
        return std::exchange(finished_, std::nullopt);
    }

    // SIGKILL or SIGSTOP, as chaos asks. Returns why it cannot be; empty: it was done.
    [[nodiscard]] std::string strike(bool kill);

    // Why the room on this host is over: none, unless the bridge has said so and has ended.
    [[nodiscard]] OrderLoss loss() const;
    // The room was never joined, and with these options it never will be, as a bridge has said.
    [[nodiscard]] bool is_unusable() const { return is_unusable_; }
    // Bytes that senders have sent and that are not in the room's order yet. 0 where no room is
    // joined, or it was given up or is over.
    [[nodiscard]] uint64_t waiting_bytes() const;
    // Something is to be looked at again soon, while the server stops: how many bytes wait, or how
    // many are to be thrown away.
    [[nodiscard]] bool is_waited_for() const { return waiting_bytes() > 0 || has_no_future(); }
    // The server stops, and can wait for the room no longer: ends the bridge. From then on, and
    // where the room is over, what senders have sent is thrown away, so that no worker waits for
    // room in the outbound log.
    void give_up();

    [[nodiscard]] bool wanted() const { return server_.resources.wanted(); }
    [[nodiscard]] pid_t pid() const { return process_.pid(); } // 0: there is none now
    // Where there is none: since when, in milliseconds since 1970; 0: it is not known.
    [[nodiscard]] uint64_t gone_since_ms() const { return gone_since_ms_; }

private:
    void start();
    [[nodiscard]] ProgramFile::Child described(int lifeline, int settings) const;
    void end(const std::string& why);
    void end_hung();
    void bury();
    void repair() const;
    void look_for_first_beat();
    [[nodiscard]] bool is_given_up() const;
    [[nodiscard]] bool has_no_future() const;
    void throw_away() const;

    Server server_;
    CompanionProcess process_;
    Counters counters_;
    Doorbells doorbells_;
    HangJudge hang_judge_;
    std::optional<ServedClock::time_point> died_at_{}; // and its successor has not worked yet
    std::optional<FinishedBridge> finished_{};
    uint64_t gone_since_ms_ = 0;
    std::string cause_{};     // why this master has ended it, if the bridge was at fault
    bool is_stopped_ = false; // as chaos asked
    bool is_struck_ = false;  // killed, as chaos asked
    bool is_unusable_ = false;
};

} // namespace chatserv
