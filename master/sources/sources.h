// All sources together: each is tried, taken in as a client, and made again when it has ended.
//
// The master waits for none of them. A process of its own gets at each source and passes on a
// connection (program/start.h); from then on the source is a client as any other, with a slot, a
// cursor and the crash windows that there are. A connection that a master has received and not yet
// taken in when it dies is closed by the next one (inheritance.h), which tries that source anew:
// nothing of it was relayed yet.
//
// A reload brings sources and lets others go (follow()). Which are in force is in the legacy, and a
// successor begins with those: one that was let go it lets go again.
#pragma once

#include "master/clients/acceptor.h"
#include "master/sources/source.h"
#include "master/sources/source_resources.h"
#include "master/workers/exit_watch.h"
#include "master/workers/kicking.h"

#include <chrono>
#include <map>
#include <optional>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

class Sources {
public:
    using Clock = std::chrono::steady_clock;

    // What is borrowed must outlive this object. `tag`: the events of the sources have it, with a
    // source's number as their index. `upgrade`: the number of the one whose program this is.
    struct Surroundings {
        const SourceResources& resources;
        const Options& options;
        const Segment& segment;
        const Ledger& ledger;
        EventQueue& events;
        ClientBook& clients;
        const Acceptor& acceptor;
        Kicking& kicking;
        const Acceptor::ChooseEntry& choose_entry;
        Tag tag;
        uint32_t upgrade;
    };
    explicit Sources(const Surroundings& surroundings);

    // In a successor, once, before anything else: finds the clients that are sources, and the
    // processes of the dead master.
    void take_over();

    // The list of a reload, which is in force now. Those that stay are left as they are.
    void follow(const std::vector<NumberedSource>& sources);

    // Events: words of a source's process, and NOTE_EXIT; the latter returns true if the process
    // was a source's.
    void handle(const EventQueue::Event& event);
    [[nodiscard]] bool handle_exit(pid_t pid);
    // SIGCHLD, before other children are reaped.
    void reap_children();

    // What is done about sources.
    enum class Phase {
        making, // each is made, and made again
        as_is,  // those that are connected stay so; none is made
        ending, // the server ends, and the processes with it
    };
    // In each turn of the loop. Returns the clients that were taken in since the last look.
    [[nodiscard]] std::vector<Acceptor::Admitted> look(Phase phase);
    // When the next look is due; nothing where no time matters.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;

    // True, once, when standard input has ended, all of it is relayed, and that is to stop the
    // server (--stdin-end).
    [[nodiscard]] bool take_stop() { return std::exchange(stops_, false); }
    // True where a process that an earlier master had started has ended since this was asked last:
    // the keeper may reap it now (may_reap()).
    [[nodiscard]] bool take_may_reap() { return std::exchange(may_reap_, false); }
    [[nodiscard]] bool has_processes() const;

    // By number, with those that were let go and are not gone yet.
    [[nodiscard]] const std::map<uint32_t, Source>& all() const { return sources_; }
    // The source of this number; null where there is none.
    [[nodiscard]] const Source* find(uint32_t number) const {
        const auto found = sources_.find(number);
        return found != sources_.end() ? &found->second : nullptr;
    }
    // Its processes have a program.
    [[nodiscard]] bool can_be_made() const { return around_.resources.program.has_value(); }

private:
    void hear(Source& source);
    [[nodiscard]] bool client_has_left(const Source& source) const {
        return source.client() && around_.clients.escrow().find(*source.client()) == nullptr;
    }
    void note_place_of(const Source& source, const FilePlace& place);
    void take_in(Source& source, UniqueFd socket, const std::optional<FilePlace>& place);
    void add(const NumberedSource& source);
    void note_names() const;
    [[nodiscard]] bool is_to_be_made(const Source& source) const;
    void forget_gone();
    void bury(Source& source);
    void advance(Source& source, Clock::time_point now);

    const Surroundings around_;
    ExitWatch exit_watch_;
    std::map<uint32_t, Source> sources_{};
    std::vector<Acceptor::Admitted> admitted_{};
    Phase phase_ = Phase::as_is;
    bool stops_ = false;
    bool may_reap_ = false;
};

} // namespace chatserv
