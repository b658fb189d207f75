// All sources together: each is tried, taken in as a client, and made again when it has ended.
//
// The master waits for none of them. A process of its own gets at each source and passes on a
// connection (program/start.h); from then on the source is a client as any other, with a slot, a
// cursor and the crash windows that there are. A connection that a master has received and not yet
// taken in when it dies is closed by the next one (inheritance.h), which tries that source anew:
// nothing of it was relayed yet.
#pragma once

#include "master/clients/acceptor.h"
#include "master/sources/source.h"
#include "master/sources/source_resources.h"
#include "master/workers/exit_watch.h"

#include <chrono>
#include <optional>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

class Sources {
public:
    using Clock = std::chrono::steady_clock;

    // What is borrowed must outlive this object. `tag`: the events of the sources have it, with a
    // source's place as their index. `upgrade`: the number of the one whose program this is.
    struct Surroundings {
        const SourceResources& resources;
        const Options& options;
        const Segment& segment;
        const Ledger& ledger;
        EventQueue& events;
        ClientBook& clients;
        const Acceptor& acceptor;
        const Acceptor::ChooseEntry& choose_entry;
        Tag tag;
        uint32_t upgrade;
    };
    explicit Sources(const Surroundings& surroundings);

    // In a successor, once, before anything else: finds the clients that are sources, and the
    // processes of the dead master.
    void take_over();

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

    [[nodiscard]] const std::vector<Source>& all() const { return sources_; }
    // The source of this number, counted from 1; null where there is none.
    [[nodiscard]] const Source* find(uint32_t number) const {
        return number > 0 && number <= sources_.size() ? &sources_[number - 1] : nullptr;
    }

private:
    void hear(Source& source);
    [[nodiscard]] bool client_has_left(const Source& source) const {
        return source.client() && around_.clients.escrow().find(*source.client()) == nullptr;
    }
    void note_place_of(const Source& source, const FilePlace& place);
    void take_in(Source& source, UniqueFd socket, const std::optional<FilePlace>& place);
    [[nodiscard]] SourceRecord& place_of(const Source& source) const {
        return around_.ledger.places()[static_cast<size_t>(&source - sources_.data())];
    }
    void bury(Source& source);
    void advance(Source& source, Clock::time_point now);

    const Surroundings around_;
    ExitWatch exit_watch_;
    std::vector<Source> sources_{};
    std::vector<Acceptor::Admitted> admitted_{};
    Phase phase_ = Phase::as_is;
    bool stops_ = false;
    bool may_reap_ = false;
};

} // namespace chatserv
