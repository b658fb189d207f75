// Measures the cost of an event with bare epoll, with the kqueue layer and NOTE_NODATA, and with
// the layer and `data`.
//
// The three take turns in rounds, so that other activity on the machine affects all of them alike.
// The table gives the median round of each, and the median of the ratios to bare epoll in the same
// round. An event is: wait, find the descriptor, read its 64 bytes. Refilling the sockets is not
// measured.
//
//     kqueue_bench [rounds]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int batch_max = 256; // events taken per wait
constexpr int events_per_round = 20'000;
constexpr std::size_t message_bytes = 64;
constexpr std::array<int, 3> active_counts{1, 100, 1'000};

[[noreturn]] void fail(const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
}

// The socket pairs that the loops read from. The first end of each pair is watched.
class Sockets {
public:
    explicit Sockets(int count) {
        for (int i = 0; i < count; ++i) {
            std::array<int, 2> pair{};
            if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == -1)
                fail("socketpair");
            pairs_.push_back(pair);
        }
    }
    ~Sockets() {
        for (const auto& pair : pairs_) {
            ::close(pair[0]);
            ::close(pair[1]);
        }
    }
    Sockets(const Sockets&) = delete;
    Sockets& operator=(const Sockets&) = delete;

    [[nodiscard]] const std::vector<std::array<int, 2>>& pairs() const { return pairs_; }

    void fill() const {
        static constexpr std::array<char, message_bytes> message{};
        for (const auto& pair : pairs_) {
            if (::write(pair[1], message.data(), message.size()) != ssize_t{message_bytes})
                fail("write");
        }
    }

private:
    std::vector<std::array<int, 2>> pairs_;
};

void read_message(int fd) {
    std::array<char, message_bytes> message;
    if (::read(fd, message.data(), message.size()) != ssize_t{message_bytes})
        fail("read");
}

class Loop {
public:
    virtual ~Loop() = default;
    // Waits once and reads from every ready socket. Returns the number of events.
    virtual int turn() = 0;
};

class EpollLoop : public Loop {
public:
    explicit EpollLoop(const Sockets& sockets) : set_(::epoll_create1(EPOLL_CLOEXEC)) {
        for (const auto& pair : sockets.pairs()) {
            epoll_event event{};
            event.events = EPOLLIN | EPOLLRDHUP;
            event.data.fd = pair[0];
            if (::epoll_ctl(set_, EPOLL_CTL_ADD, pair[0], &event) == -1)
                fail("epoll_ctl");
        }
    }
    ~EpollLoop() override { ::close(set_); }

    int turn() override {
        const int count = ::epoll_wait(set_, events_.data(), batch_max, -1);
        for (int i = 0; i < count; ++i)
            read_message(events_[static_cast<std::size_t>(i)].data.fd);
        return count;
    }

private:
    int set_;
    std::array<epoll_event, batch_max> events_{};
};

class KqueueLoop : public Loop {
public:
    KqueueLoop(const Sockets& sockets, unsigned fflags) : queue_(::kqueue()) {
        for (const auto& pair : sockets.pairs()) {
            struct kevent change {};
            EV_SET(&change, pair[0], EVFILT_READ, EV_ADD, fflags, 0, nullptr);
            if (::kevent(queue_, &change, 1, nullptr, 0, nullptr) == -1)
                fail("kevent");
        }
    }
    ~KqueueLoop() override { ::close(queue_); }

    int turn() override {
        const int count = ::kevent(queue_, nullptr, 0, events_.data(), batch_max, nullptr);
        for (int i = 0; i < count; ++i)
            read_message(static_cast<int>(events_[static_cast<std::size_t>(i)].ident));
        return count;
    }

private:
    int queue_;
    std::array<struct kevent, batch_max> events_{};
};

// Nanoseconds per event.
double round_of(Loop& loop, const Sockets& sockets) {
    const int active = static_cast<int>(sockets.pairs().size());
    Clock::duration spent{};
    int done = 0;
    while (done < events_per_round) {
        sockets.fill();
        const auto start = Clock::now();
        for (int left = active; left > 0;)
            left -= loop.turn();
        spent += Clock::now() - start;
        done += active;
    }
    return std::chrono::duration<double, std::nano>(spent).count() / done;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

struct Contender {
    const char* name;
    std::unique_ptr<Loop> loop;
    std::vector<double> nanoseconds{};
    std::vector<double> ratios{}; // to the first contender, in the same round
};

void compare(int active, int rounds) {
    // Each contender has its own sockets, because a socket in several epoll sets is slower.
    std::array<Sockets, 3> sockets{Sockets(active), Sockets(active), Sockets(active)};
    std::array<Contender, 3> contenders{Contender{"epoll", std::make_unique<EpollLoop>(sockets[0])},
        Contender{"kqueue, NOTE_NODATA", std::make_unique<KqueueLoop>(sockets[1], NOTE_NODATA)},
        Contender{"kqueue, data", std::make_unique<KqueueLoop>(sockets[2], 0U)}};

    for (int round = 0; round <= rounds; ++round) {
        for (std::size_t i = 0; i < contenders.size(); ++i) {
            const std::size_t turn = (i + static_cast<std::size_t>(round)) % contenders.size();
            const double spent = round_of(*contenders[turn].loop, sockets[turn]);
            if (round > 0) // the first round warms up
                contenders[turn].nanoseconds.push_back(spent);
        }
    }
    for (Contender& contender : contenders) {
        for (std::size_t i = 0; i < contender.nanoseconds.size(); ++i)
            contender.ratios.push_back(contender.nanoseconds[i] / contenders[0].nanoseconds[i]);
        std::printf("%6d   %-20s %8.1f %+8.1f %%\n", active, contender.name,
            median(contender.nanoseconds), (median(contender.ratios) - 1) * 100);
    }
}

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char** argv) {
    try {
        const int rounds = argc > 1 ? std::stoi(argv[1]) : 31;
        raise_descriptor_limit();
        std::printf("active   loop                 ns/event  to epoll\n");
        for (const int active : active_counts)
            compare(active, rounds);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "kqueue_bench: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
