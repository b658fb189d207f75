// The master's side of the keeper: what a master says to the process that started it, and what it
// hears from it.
#pragma once

#include "master/keeper/keeper_words.h"
#include "shared/system/event_queue.h"

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace chatserv {

class KeeperLink {
public:
    // In the master. `keeper`: the process that started it, which may have died since.
    // `generation`: how many masters the server has had, this one included.
    KeeperLink(KeeperWords& words, pid_t keeper, uint32_t generation);
    KeeperLink(const KeeperLink&) = delete;
    KeeperLink& operator=(const KeeperLink&) = delete;

    [[nodiscard]] pid_t keeper() const { return keeper_; }
    // Another master served before this one, and died.
    [[nodiscard]] bool is_successor() const { return generation_ > 1; }

    // Watches the keeper's life: an exit of that pid is told by `events`. Where the system refuses
    // that, the keeper's death is found in the next turn of the loop.
    void watch(EventQueue& events);
    // The exit that was asked for has come. True if it is the keeper's.
    [[nodiscard]] bool handle_exit(pid_t pid);
    // The keeper is dead, so this master keeps the server from now on.
    [[nodiscard]] bool keeper_is_dead() const;

    // In each turn of the loop, at least twice in each hang limit: this master answers.
    void beat();
    // This master has taken up its work. One that ends before that has died young.
    void note_serving();
    [[nodiscard]] bool has_served() const { return serving_; }

    // The signals of the server that have come and were not noted as taken, by this master or one
    // before it. SIGCHLD tells that there may be some; it stands for any number.
    struct Arrived {
        int signal;
        uint32_t count;
    };
    [[nodiscard]] std::vector<Arrived> arrived_signals() const;
    // A successor does not get these again. Where acting twice does no harm, this is called after
    // acting. A stop is noted before, because a second one ends the server at once.
    void note_taken(const Arrived& arrived);
    // A stop that was noted as taken; its master may have died before it had begun to stop.
    [[nodiscard]] std::optional<int> taken_stop() const;

    // Makes the keeper look at its children again (SIGCHLD, which harms no process).
    void nudge_keeper() const;

private:
    KeeperWords& words_;
    pid_t keeper_;
    uint32_t generation_;
    bool serving_ = false;
    bool exit_will_be_told_ = false;
    bool exit_was_told_ = false;
};

} // namespace chatserv
