#include "master/sources/source_process.h"

#include "master/sources/source_set.h"
#include "master/workers/reaping.h"
#include "shared/system/errors.h"
#include "shared/system/handler_line.h"

#include <csignal>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace chatserv {

// If this master dies before the fork, its successor finds a seat without a pid, and gives it up.
std::string SourceProcess::start(const Task& task) {
    try {
        FdPair lifeline = make_stream_pair();
        require(events_.watch_readable(lifeline.first.get(), tag_), "watching a source");
        const PidWord word = seats_.note_starting(seat_, lifeline.first.get(), task.upgrade);
        lifeline_ = std::move(lifeline.first);
        pid_ = task.program.start(described(task, lifeline.second.get(), word));
    } catch (const std::system_error& refusal) {
        close_lifeline();
        seats_.note_empty(seat_);
        return refusal.what();
    }
    is_inherited_ = false;
    return "";
}

// The arguments: program/start.h.
ProgramFile::Child SourceProcess::described(const Task& task, int lifeline, PidWord word) const {
    const bool keeps_rights = ledger_.standing().keep_own_rights != 0;
    return {.title = "chatserv: source",
        .arguments = {std::to_string(keeps_rights ? ::geteuid() : task.options.worker_uid),
            std::to_string(keeps_rights ? ::getegid() : task.options.worker_gid),
            std::to_string(lifeline), task.source.text(),
            goes_on_at_end(task.options, task.source) ? "go-on" : "end",
            unescaped(task.options.source_greeting), task.place ? task.place->text() : "",
            task.options.framing == Framing::line ? "line" : "none", std::to_string(task.dropped)},
        .inherited = {lifeline},
        .pid_word = word,
        .say_why_not = [](int /*error*/) {
            write_line_from_handler("chatserv: the program of a source cannot be executed\n");
        }};
}

// A process that was forked and has not stored its pid finds that the seat is not its own, and
// ends. The pid of one that has ended may be another process's: it may be reaped already.
bool SourceProcess::take_over(const SeatBook::Seated& seated) {
    lifeline_ = UniqueFd(seated.rendezvous);
    if (seated.pid == 0 || seated.state == SeatState::ended) {
        lifeline_.reset();
        seats_.note_empty(seat_);
        return false;
    }
    pid_ = seated.pid;
    is_inherited_ = true;
    if (lifeline_)
        (void)events_.watch_readable(lifeline_.get(), tag_);
    return true;
}

void SourceProcess::ask_again() const {
    if (lifeline_)
        (void)::send(
            lifeline_.get(), "?", 1, 0); // a file whose place is not known is read from its end
}

void SourceProcess::end() const {
    if (pid_ != 0)
        ::kill(pid_, SIGKILL);
}

std::optional<SourceWords::Heard> SourceProcess::next_word() {
    if (!lifeline_ || words_.ended())
        return std::nullopt;
    auto heard = words_.next(lifeline_.get());
    if (words_.ended()) // the event would be told again until the exit is
        events_.unwatch_readable(lifeline_.get());
    return heard;
}

// Late word can come of an earlier process of that number: this one has not exited then. One that
// an earlier master had started is no child, and nothing but its NOTE_EXIT tells of it.
bool SourceProcess::has_ended(bool is_told) const {
    return pid_ != 0 && (is_inherited_ ? is_told : has_exited(pid_));
}

// The exit is noted before the process is reaped: a successor must not take another process of that
// number for it.
std::string SourceProcess::bury() {
    seats_.note_exit(seat_, std::nullopt);
    const std::optional<int> wait_status = is_inherited_ ? std::nullopt : reap(pid_);
    close_lifeline();
    seats_.note_empty(seat_);
    pid_ = 0;
    return text_of_wait_status(wait_status);
}

void SourceProcess::close_lifeline() {
    if (lifeline_ && !words_.ended())
        events_.unwatch_readable(lifeline_.get());
    lifeline_.reset();
    words_ = {};
}

} // namespace chatserv
