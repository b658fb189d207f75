#include "bench/takeover/accepts.h"

#include "bench/takeover/crowd.h"
#include "shared/system/fd.h"
#include "shared/system/shared_table.h"

#include <array>
#include <ctime>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv::bench {

namespace {

constexpr size_t connections = 100;   // at once: they fit into a listen queue
constexpr size_t waves = 10;          // in a batch
constexpr int table_size = 16 * 1024; // as a server has it that expects many users

// The processor time of this process: other programs take none of it.
double processor_time_us() {
    timespec time{};
    (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time); // POSIX
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

UniqueFd listen_on_loopback(sockaddr_in& address) {
    UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    if (!listener || ::bind(listener.get(), where, size) == -1 ||
        ::listen(listener.get(), connections) == -1 ||
        ::getsockname(listener.get(), where, &size) == -1)
        return UniqueFd();
    return listener;
}

// One batch, in the process that calls it: microseconds for each connection; negative where a call
// failed. All descriptors that it opens it closes.
double accept_batch() {
    sockaddr_in address{};
    const UniqueFd listener = listen_on_loopback(address);
    if (!listener)
        return -1;
    double spent_us = 0;
    for (size_t wave = 0; wave < waves; ++wave) {
        std::array<UniqueFd, connections> peers;
        for (UniqueFd& peer : peers) {
            peer = UniqueFd(::socket(AF_INET, SOCK_STREAM, 0));
            if (!peer || ::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address),
                             sizeof address) == -1)
                return -1;
        }
        const double begin_us = processor_time_us();
        for (size_t i = 0; i < connections; ++i) {
            const int accepted = ::accept(listener.get(), nullptr, nullptr);
            if (accepted == -1 || ::close(accepted) == -1)
                return -1;
        }
        spent_us += processor_time_us() - begin_us;
    }
    return spent_us / (waves * connections);
}

// One batch in a child, while this process sleeps until the child has ended.
double accept_batch_in(pid_t (*start)()) {
    const FdPair result = make_pipe();
    const pid_t child = start();
    if (child == 0) {
        const double us = accept_batch();
        const bool told = ::write(result.second.get(), &us, sizeof us) == sizeof us;
        ::_exit(told ? 0 : 1); // no destructor may run: the table is this process's too
    }
    int status = -1;
    double us = -1;
    if (child == -1 || ::waitpid(child, &status, 0) != child || status != 0 ||
        ::read(result.first.get(), &us, sizeof us) != sizeof us || us < 0)
        fail("a child could not accept its connections");
    return us;
}

} // namespace

AcceptCosts measure_accepts(size_t batches) {
    AcceptCosts costs;
    if (!can_share_descriptors())
        return costs;
    grow_descriptor_table(table_size);
    (void)accept_batch_in(&::fork); // the first one is slower
    for (size_t i = 0; i < batches; ++i) {
        costs.own_us.push_back(accept_batch_in(&::fork));
        costs.shared_us.push_back(accept_batch_in(&start_sharing_descriptors));
    }
    return costs;
}

} // namespace chatserv::bench
