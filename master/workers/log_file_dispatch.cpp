#include "master/workers/log_file_dispatch.h"

#include "master/workers/worker_events.h"

#include <span>
#include <unistd.h>
#include <utility>

namespace chatserv {

void LogFileDispatch::send_to_all() {
    lacking_.clear();
    for (const pid_t pid : pool_.pids())
        send_to(pid);
}

void LogFileDispatch::note_lost(pid_t pid) {
    if (lacking_.insert(pid).second)
        events::log_file_lost(pid);
    if (!send_again_at_)
        send_again_at_ = Clock::now() + resend_pause;
}

void LogFileDispatch::look() {
    if (!send_again_at_ || *send_again_at_ > Clock::now())
        return;
    send_again_at_.reset();
    for (const pid_t pid : std::exchange(lacking_, {}))
        send_to(pid);
}

// The descriptor is borrowed until it is sent. Should standard error have become yet another file
// by then, that is the right one to send.
void LogFileDispatch::send_to(pid_t pid) {
    if (!has_file_)
        return;
    WorkerProcess* const process = pool_.find(pid);
    if (process == nullptr || !process->channel().open())
        return;
    const int log = STDERR_FILENO;
    process->channel().queue(MessageType::log_file, std::span<const char>(), std::span(&log, 1));
    pool_.send(*process);
}

} // namespace chatserv
