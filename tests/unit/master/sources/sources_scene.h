// The sources of a master, for tests: processes that a dead one has left, and lists of a reload.
#pragma once

#include "master/sources/sources.h"
#include "tests/unit/master/sources/source_scene.h"

#include <cstdint>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv {

class SourcesScene : public SourceScene {
protected:
    void TearDown() override {
        for (const pid_t pid : children_) {
            ::kill(pid, SIGKILL);
            (void)::waitpid(pid, nullptr, 0);
        }
    }

    static std::vector<NumberedSource> list(const std::vector<std::string>& addresses) {
        std::vector<SourceAddress> sources;
        for (const std::string& address : addresses)
            sources.push_back(source(address));
        return numbered(std::move(sources));
    }

    std::unique_ptr<Sources> make(const std::vector<std::string>& addresses) {
        resources_.sources = list(addresses);
        return make_in_force();
    }

    std::unique_ptr<Sources> make_in_force() {
        if (program_)
            resources_.program.emplace(UniqueFd(), path_);
        return std::make_unique<Sources>(Sources::Surroundings{.resources = resources_,
            .options = options_,
            .segment = segment_.mapping,
            .ledger = ledger_,
            .events = events_,
            .clients = *book_,
            .acceptor = acceptor_,
            .kicking = kicking_,
            .choose_entry = choose_entry_,
            .tag = Watched::source,
            .upgrade = 0});
    }

    // A process that a dead master has started for the source at this place. The test has the
    // process's end of the lifeline.
    pid_t leave_process(uint32_t place) {
        FdPair lifeline = make_stream_pair();
        set_nonblocking(lifeline.first.get());
        const PidWord word =
            SeatBook(ledger_.sources()).note_starting(SeatId{place}, lifeline.first.release(), 0);
        const pid_t pid = ::fork();
        if (pid == 0)
            for (;;)
                ::pause();
        *word.word = pid;
        children_.push_back(pid);
        lifeline_ = std::move(lifeline.second);
        return pid;
    }

    // The source at this place hears its process once more.
    static void hear(Sources& sources, uint32_t place) {
        struct kevent event {};
        event.udata = reinterpret_cast<decltype(event.udata)>(
            static_cast<uintptr_t>(Tag(Watched::source).word() | uint64_t{place + 1} << 8));
        sources.handle(event);
    }

    [[nodiscard]] char question() const {
        char byte = 0;
        return ::recv(lifeline_.get(), &byte, 1, MSG_DONTWAIT) == 1 ? byte : '\0';
    }

    SourceResources resources_{};
    Kicking kicking_{2, book_->escrow()};
    const Acceptor::ChooseEntry choose_entry_ = [] { return entry_0; };
    std::vector<pid_t> children_{};
    UniqueFd lifeline_{};
};

} // namespace chatserv
