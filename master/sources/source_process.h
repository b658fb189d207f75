// The process of one source, as the master sees it (program/start.h says what it does).
//
// The ledger has a seat for it, as for a worker (seat_book.h), so a successor takes the process
// over. It inherits the end of its *lifeline*: over it come its words, and the end of file tells it
// that no process of the server is left.
#pragma once

#include "master/config/options.h"
#include "master/config/source_address.h"
#include "master/ledger/ledger.h"
#include "master/sources/file_place.h"
#include "master/sources/source_word.h"
#include "master/start/program_file.h"
#include "master/workers/seat_book.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv {

class SourceProcess {
public:
    // `seat`: of the ledger's sources. `tag`: of the events that say that words have come.
    SourceProcess(const Ledger& ledger, EventQueue& events, SeatId seat, Tag tag) :
        ledger_(ledger), events_(events), seats_(ledger.sources()), seat_(seat), tag_(tag) {}

    // 0: there is none.
    [[nodiscard]] pid_t pid() const { return pid_; }

    // What it is started for.
    struct Task {
        const ProgramFile& program;
        const SourceAddress& source;
        const Options& options;
        std::optional<FilePlace> place; // of a file: where to go on; none: at its end
        uint64_t dropped;               // datagrams that the source has lost until now
        uint32_t upgrade;               // number of the one whose program this is
    };
    // There is none. Returns an empty text, or why the system refuses one. The caller watches its
    // exit.
    [[nodiscard]] std::string start(const Task& task);
    // In a successor: the process that the dead master has left. True if there is one; its exit is
    // to be watched.
    [[nodiscard]] bool take_over(const SeatBook::Seated& seated);
    // It says again what the dead master was told: the place in a file, lost datagrams. Only of a
    // source that can_be_asked().
    void ask_again() const;
    [[nodiscard]] static bool can_be_asked(const SourceAddress& source) {
        return source.kind == SourceAddress::Kind::file || source.kind == SourceAddress::Kind::udp;
    }
    // SIGKILL; its exit follows.
    void end() const;

    // The next of its words; nothing where none has come.
    [[nodiscard]] std::optional<SourceWords::Heard> next_word();

    // Whether it has exited, as far as waitid(2) and a NOTE_EXIT tell. `is_told`: by NOTE_EXIT.
    [[nodiscard]] bool has_ended(bool is_told) const;
    // It has ended, and its words are read. Reaps it, gives up its seat, and returns how it ended.
    std::string bury();
    // An earlier master had started it.
    [[nodiscard]] bool is_inherited() const { return is_inherited_; }

private:
    [[nodiscard]] ProgramFile::Child described(const Task& task, int lifeline, PidWord word) const;
    void close_lifeline();

    const Ledger& ledger_;
    EventQueue& events_;
    SeatBook seats_;
    SeatId seat_;
    Tag tag_;
    pid_t pid_ = 0;
    bool is_inherited_ = false;
    UniqueFd lifeline_{};
    SourceWords words_{};
};

} // namespace chatserv
