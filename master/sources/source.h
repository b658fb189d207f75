// One source, as the master sees it: when it is tried, whether it is connected, and how it stands.
//
//     waiting ──▶ trying ──▶ connected ──▶ waiting        a process tries; its connection is taken
//        ▲           │           │                        in as a client; the client has left
//        └───────────┘           └───────▶ over           the try has failed; the source has ended
//                                                         for good
//
// The state is not in the ledger: it follows from what is. A client that is noted as the source's
// means `connected`. A process without one was on its way when its master died: it is ended, and
// the source is tried anew. Pauses and what is said of the last error begin anew.
//
// A source that a reload lets go is not tried any more. Its client is ended in the order of the log
// (kicking.h), its process ends after it; then it is gone.
#pragma once

#include "master/clients/client_book.h"
#include "master/sources/drop_reports.h"
#include "master/sources/retry_pause.h"
#include "master/sources/source_process.h"
#include "master/sources/source_set.h"
#include "shared/segment/segment.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace chatserv {

class Source {
public:
    using Clock = std::chrono::steady_clock;

    enum class State { waiting, trying, connected, over };

    // `record`: of its number.
    Source(NumberedSource source, SourceProcess process, SourceRecord& record) :
        number_(source.number), address_(std::move(source.address)), is_wanted_(source.is_wanted),
        process_(std::move(process)), record_(record), drops_(dropped_by(record)) {}

    [[nodiscard]] uint32_t number() const { return number_; }
    [[nodiscard]] const SourceAddress& address() const { return address_; }
    [[nodiscard]] SourceRecord& record() const { return record_; }
    // False: a reload has let it go.
    [[nodiscard]] bool is_wanted() const { return is_wanted_; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] std::optional<ClientId> client() const { return client_; }
    // Why it is not connected; empty where that is not known.
    [[nodiscard]] const std::string& error() const { return error_; }
    // How long until the next try, from `now` on; of a source that waits.
    [[nodiscard]] std::chrono::milliseconds wait_from(Clock::time_point now) const;
    [[nodiscard]] SourceProcess& process() { return process_; }
    [[nodiscard]] const SourceProcess& process() const { return process_; }

    // In a successor: the client that the ledger notes as this source; or there is none, and a
    // process of the dead master is to end.
    void resume(ClientId client, Clock::time_point now);
    void let_process_end(Clock::time_point now) { ending_by_ = now + ending_max; }

    // Whether a process is to be started now.
    [[nodiscard]] bool is_due(Clock::time_point now) const {
        return state_ == State::waiting && process_.pid() == 0 && now >= next_try_;
    }
    void try_now(const SourceProcess::Task& task, Clock::time_point now);

    // A reload has taken it out of the options. A process that is on its way is ended.
    void let_go();
    // Its client is to be ended; once, of a source that is let go.
    [[nodiscard]] std::optional<ClientId> take_client_to_end();
    // It was let go, and nothing of it is left.
    [[nodiscard]] bool is_gone() const { return !is_wanted_ && !client_ && process_.pid() == 0; }

    // The process has passed on a connection, which was taken in.
    void note_connected(ClientId client, Clock::time_point now);
    // It has said why it ends, or that the source is at its end for good.
    void note_failure(const std::string& why) { error_ = why; }
    void note_over() { is_over_ = true; }
    // It has lost datagrams.
    void note_drops(DatagramDrops drops);
    // True, once, when the state has become `over`.
    [[nodiscard]] bool take_over_news() { return std::exchange(is_over_news_, false); }
    // A connection was passed on that could not be taken in.
    void refuse(const std::string& why) {
        error_ = why;
        process_.end();
    }
    // The process has exited, and its words are read.
    void note_exit(ClientBook& clients, Clock::time_point now);

    // In each turn, with what the segment says of the client. `is_made`: a source that waits is to
    // be tried.
    void look(ClientBook& clients, const Segment& segment, bool is_made, Clock::time_point now);
    // When the next look is due; nothing where no time matters.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;

private:
    // A process that has not come to an end by then is ended: name services can be slow.
    static constexpr std::chrono::minutes trying_max{2};
    // Once its client has left, a process may take this long to pass on what it has left to write.
    static constexpr std::chrono::seconds ending_max{5};

    [[nodiscard]] std::optional<Clock::time_point> next_step() const;
    void wait(std::chrono::milliseconds lasted, Clock::time_point now);
    void look_for_silence(ClientBook& clients, const Segment& segment, Clock::time_point now);
    [[nodiscard]] bool may_fall_silent() const {
        return silence_.count() > 0 && address_.can_fall_silent();
    }

    uint32_t number_;
    SourceAddress address_;
    bool is_wanted_;
    bool is_client_ended_ = false;
    std::chrono::milliseconds silence_{0}; // how long its connection may send nothing; 0: for ever
    SourceProcess process_;
    SourceRecord& record_;
    State state_ = State::waiting;
    bool is_made_ = true; // as look() was told last
    bool is_over_ = false;
    bool is_over_news_ = false;
    std::optional<ClientId> client_{};
    std::string error_{};
    RetryPause pause_{};
    DropReports drops_;
    std::minstd_rand random_{std::random_device{}()};
    Clock::time_point next_try_{};
    Clock::time_point since_{};       // of the state
    Clock::time_point ending_by_{};   // of a process without a client
    Clock::time_point heard_at_{};    // when it was last found to have sent something
    Clock::time_point next_listen_{}; // when that is looked at again
    uint64_t heard_bytes_ = 0;
};

// The word by which programs know the state.
[[nodiscard]] const char* name_of(Source::State state);

} // namespace chatserv
