#include "tests/unit/master/keeper/stand_in_server.h"

#include "shared/system/failure.h"
#include "shared/system/shared_table.h"
#include "shared/system/signals.h"
#include "tests/unit/small_ledger.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

constexpr std::chrono::seconds patience{60};

int as_in_a_shell(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void add(uint32_t& word, uint32_t count) {
    store_release(word, load_acquire(word) + count);
}

} // namespace

StandInServer::StandInServer(const Setting& setting) :
    setting_(setting), ledger_(small_ledger(1)), words_(&ledger_.keeper()), life_(make_pipe()),
    guard_(make_pipe()) {
    void* const memory =
        ::mmap(nullptr, sizeof(Stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "mmap");
    stage_ = new (memory) Stage{};
    become_subreaper();
    first_keeper_ = ::fork();
    if (first_keeper_ == 0) {
        guard_.second.reset();
        for (const int signal : {SIGINT, SIGQUIT}) // ignored if a shell runs the tests with `&`
            std::signal(signal, SIG_DFL);
        settle_signals();
        if (setting_.before_keeper)
            setting_.before_keeper();
        try {
            Keeper keeper(*words_,
                {.run_master = [this](KeeperLink& link) { return run_master(link); },
                    .appear_as = [](Keeper::Role) {},
                    .may_reap =
                        [this](pid_t pid) {
                            return load_acquire(stage_->held_back) != static_cast<uint32_t>(pid);
                        },
                    .hang_limit = setting_.hang_limit});
            ::_exit(keeper.run());
        } catch (const Failure& failure) {
            ::_exit(failure.exit_status());
        }
    }
    life_.second.reset();
}

// Keeper and master together, so that neither replaces the other.
StandInServer::~StandInServer() {
    const pid_t master = this->master();
    const pid_t keeper = this->keeper();
    for (const pid_t pid : {master, keeper})
        if (pid > 0)
            ::kill(pid, SIGSTOP);
    while (!all_gone()) {
        for (const pid_t pid : {this->master(), this->keeper(), master, keeper})
            if (pid > 0)
                ::kill(pid, SIGKILL);
    }
    ::munmap(stage_, sizeof(Stage));
    ::munmap(words_, sizeof(KeeperWords));
}

bool StandInServer::comes_true(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return true;
}

bool StandInServer::wait_for_master(uint32_t generation) {
    return comes_true([&] {
        const pid_t serving = static_cast<pid_t>(load_acquire(words_->serving));
        return load_acquire(stage_->served) >= generation && serving != 0 && serving == master() &&
               serving != keeper();
    });
}

std::optional<int> StandInServer::wait_for_end() {
    std::optional<int> status;
    (void)comes_true([&] {
        const pid_t pid = keeper() != 0 ? keeper() : first_keeper_;
        int wait_status = 0;
        if (::waitpid(pid, &wait_status, WNOHANG) == pid)
            status = as_in_a_shell(wait_status);
        return status.has_value();
    });
    return status;
}

bool StandInServer::all_gone() {
    reap();
    pollfd life{.fd = life_.first.get(), .events = POLLIN, .revents = 0};
    if (::poll(&life, 1, 10) == 1 && (life.revents & POLLHUP) != 0) {
        reap();
        return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
    }
    return false;
}

void StandInServer::reap() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

// What a master opened stays open for the next one.
void StandInServer::look_at_legacy() {
    if (const uint32_t legacy = load_acquire(stage_->left_open)) {
        if (::fcntl(static_cast<int>(legacy) - 1, F_GETFD) == -1)
            add(stage_->lost, 1);
        store_release(stage_->left_open, 0); // un-noted before it is closed: nobody opens meanwhile
        ::close(static_cast<int>(legacy) - 1);
    }
    store_release(stage_->left_open, static_cast<uint32_t>(::dup(STDERR_FILENO)) + 1);
}

MasterEnd StandInServer::run_master(KeeperLink& link) {
    end_without_test(link);
    const uint32_t begun = load_acquire(stage_->masters);
    if (begun < std::size(stage_->began_ns))
        stage_->began_ns[begun] = std::chrono::steady_clock::now().time_since_epoch().count();
    add(stage_->masters, 1);
    if (load_acquire(stage_->order) == static_cast<uint32_t>(Order::die_young))
        ::_exit(3);
    auto& events = *new EventQueue; // what a master opens stays open
    if (events.watch_signal(SIGCHLD) != 0)
        ::_exit(4);
    link.watch(events);
    link.beat();
    look_at_legacy();
    store_release(stage_->taken_stop, static_cast<uint32_t>(link.taken_stop().value_or(0)));
    link.note_serving();
    store_release(stage_->served, load_acquire(words_->generation));
    while (!link.keeper_is_dead())
        if (!turn(link, events))
            return {.how = MasterEnd::How::final, .exit_status = final_status};
    return {.how = MasterEnd::How::keeper_died};
}

// A test that a signal ended leaves nothing behind, although keeper and master replace each other.
void StandInServer::end_without_test(const KeeperLink& link) const {
    pollfd guard{.fd = guard_.first.get(), .events = POLLIN, .revents = 0};
    if (::poll(&guard, 1, 0) != 1 || (guard.revents & POLLHUP) == 0)
        return;
    ::kill(link.keeper(), SIGKILL);
    ::_exit(0);
}

// False if the server has ended.
bool StandInServer::turn(KeeperLink& link, EventQueue& events) {
    for (const auto& arrived : link.arrived_signals()) {
        link.note_taken(arrived);
        add(stage_->acted[static_cast<size_t>(arrived.signal)], arrived.count);
        if (arrived.signal == SIGTERM)
            return false;
    }
    link.beat();
    add(stage_->turns, 1);
    do
        end_without_test(link);
    while (load_acquire(stage_->order) == static_cast<uint32_t>(Order::hang));
    for (const EventQueue::Event& event : events.wait(std::chrono::milliseconds(5)))
        if (is_exit(event))
            (void)link.handle_exit(pid_of(event));
    while (const pid_t stranger = static_cast<pid_t>(load_acquire(stage_->stranger))) {
        if (stranger != 1)
            break;
        // A child of this master that ends at once, and is left to the keeper when this one dies.
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(0);
        store_release(stage_->stranger, static_cast<uint32_t>(child));
    }
    return true;
}

} // namespace chatserv
