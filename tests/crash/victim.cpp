#include "tests/crash/victim.h"

namespace chatserv::test {

void Victim::go_on(std::uint64_t kill_at) {
    points_ = 0;
    kill_at_ = kill_at;
    if (!going_)
        resume();
    going_ = true;
}

bool Victim::advance() {
    bool any = false;
    while (!killed_ && tracer_.stopped()) {
        any = true;
        ++points_;
        if (points_ != kill_at_) {
            resume();
            continue;
        }
        place_ = tracer_.place();
        kill();
    }
    return any;
}

void Victim::kill() {
    tracer_.kill();
    killed_ = true;
}

void Victim::resume() {
    unit_ == Unit::system_call ? tracer_.run_to_syscall() : tracer_.single_step();
}

} // namespace chatserv::test
