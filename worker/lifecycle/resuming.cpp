#include "worker/lifecycle/resuming.h"

#include "shared/segment/atomic_word.h"
#include "shared/segment/crash_point.h"
#include "shared/segment/log_lock.h"
#include "shared/system/peek.h"
#include "worker/limits/timers.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace chatserv {

namespace {

// The timer goes off no more often than this.
constexpr std::chrono::milliseconds timer_pause{10};

} // namespace

Resuming::Resuming(
    const Segment& segment, EntryId entry, EventQueue& events, const Doorbells& doorbells) :
    entry_(entry),
    log_(segment), replay_(segment), log_control_(&segment.log_control()), doorbells_(doorbells),
    timer_(events, static_cast<uintptr_t>(Timer::resume), timer_pause) {}

// A byte that no worker wrote stands for an answer that was sent.
Answer Resuming::answer_due(const Client& client) {
    const uint8_t noted = load_acquire(client.slot->answer);
    const bool is_due = client.role == Role::resume &&
                        cursor_of(*client.slot).log_offset != log_offset_none &&
                        noted <= static_cast<uint8_t>(Answer::gone);
    return is_due ? static_cast<Answer>(noted) : Answer::none;
}

// At the end of the input nothing more will be said. What follows on a first line that has an end
// is thrown away later.
std::optional<Reading::End> Resuming::look(const Client& client) {
    std::array<char, resume_line_bytes_max> text{};
    const ssize_t got = peek(client.fd.get(), text);
    if (got == -1) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return std::nullopt;
        return Reading::End{LeaveReason::read_error, errno};
    }
    if (got == 0) {
        ask(client.id, {});
        return std::nullopt;
    }
    const FirstLine line = parse_first_line({text.data(), static_cast<size_t>(got)});
    if (line.state == FirstLine::State::wrong)
        return Reading::End{LeaveReason::bad_request, 0};
    if (line.state == FirstLine::State::whole)
        ask(client.id, line.request);
    return std::nullopt;
}

std::vector<ClientId> Resuming::take_due(Clock::time_point now) {
    timer_.went_off();
    return patience_.take_due(now);
}

// Where the lock is not free at once, the client can be looked at again meanwhile. The first
// request of two is the one that counts.
void Resuming::ask(ClientId client, const ResumeRequest& request) {
    patience_.remove(client);
    asked_.push_back({client, request});
}

std::optional<std::vector<Client*>> Resuming::place(const Roster& roster) {
    std::vector<Client*> placed;
    if (asked_.empty())
        return placed;
    {
        const LogLock lock(*log_control_, entry_);
        if (!lock.held())
            return std::nullopt;
        for (const Asked& asked : std::exchange(asked_, {})) {
            Client* const client = roster.find(asked.client);
            if (client == nullptr || !waits(*client))
                continue;
            place(*client, asked.request);
            placed.push_back(client);
        }
    }
    doorbells_.ring(wake_on_unlock, entry_);
    return placed;
}

void Resuming::place(Client& client, const ResumeRequest& request) const {
    using From = ResumeRequest::From;
    client.answer = holds(request) ? Answer::from : Answer::gone;
    uint64_t offset = replay_.oldest();
    if (request.from == From::now)
        offset = log_.head();
    else if (request.from == From::offset && client.answer == Answer::from)
        offset = request.offset;
    replay_.keep(offset); // W8
    store_release(client.slot->answer, static_cast<uint8_t>(client.answer));
    crash_point(CrashPoint::answer_noted); // W9
    move_cursor(*client.slot, {cursor_of(*client.slot).bytes_written, offset});
    crash_point(CrashPoint::answer_due); // W9
}

// An offset beyond the head was counted in another log, or counted wrong.
bool Resuming::holds(const ResumeRequest& request) const {
    if (request.from != ResumeRequest::From::offset)
        return true;
    return request.life.value_or(log_.life()) == log_.life() &&
           request.offset >= replay_.oldest() && request.offset <= log_.head();
}

} // namespace chatserv
