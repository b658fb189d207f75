#include "tests/harness/striker.h"

#include <csignal>

namespace chatserv::test {

void Striker::strike(
    const std::vector<pid_t>& workers, Strike how, unsigned all_once_in, std::mt19937_64& random) {
    if (random() % all_once_in == 0) {
        strike_all(workers, how);
    } else {
        strike_one(workers[random() % workers.size()], how);
    }
}

void Striker::strike_all(const std::vector<pid_t>& victims, Strike how) {
    for (const pid_t victim : victims)
        strike_one(victim, how);
}

void Striker::strike_one(pid_t victim, Strike how) {
    if (!struck_.insert(victim).second ||
        ::kill(victim, how == Strike::stop ? SIGSTOP : SIGKILL) != 0)
        return;
    ++(how == Strike::stop ? stopped_ : killed_);
}

} // namespace chatserv::test
