#include "master/workers/replacing.h"

namespace chatserv {

namespace {

// So many processes in a row that die young will not be followed by a better one.
constexpr uint32_t hopeless_deaths = 3;
constexpr const char* cause = "the server was upgraded";

} // namespace

Replacing::Verdict Replacing::look(bool takeover) {
    if (given_up_)
        return Verdict::given_up;
    WorkerProcess* spare = nullptr;
    WorkerProcess* worker = nullptr;
    bool successor_is_ready = false;
    for (const pid_t pid : pool_.pids()) {
        WorkerProcess& process = *pool_.find(pid);
        if (!pool_.is_of_former_program(process))
            successor_is_ready = successor_is_ready || (process.ready() && !process.entry());
        else
            (process.entry() ? worker : spare) = &process;
    }
    const Staff staff = pool_.staff();
    const bool quiet = !takeover && staff.starting == 0 && staff.all_served();
    if (spare == nullptr && worker == nullptr)
        return quiet ? Verdict::complete : Verdict::under_way;
    if (died_young_ >= hopeless_deaths && !successor_is_ready) {
        given_up_ = true;
        return Verdict::given_up;
    }
    if (spare != nullptr && !spare->ended() && quiet)
        pool_.end(*spare, cause);
    else if (spare == nullptr && !worker->ended() && quiet &&
             (successor_is_ready || staff.spares_wanted == 0))
        pool_.let_end(*worker, cause);
    return Verdict::under_way;
}

} // namespace chatserv
