// What a server's log says about its clients: which ones joined, were turned away or left, and why;
// and which process serves which entry of the worker table.
//
// A connection is identified by its address. The kernel reuses an address as soon as it is free, so
// a client that the history is asked about must stay open until its line has been read. Bursts,
// which nobody asks about, come from another address (burst.h). A user of a UNIX socket is called
// by the process that has connected it, which is another one for each (soak_doors.h).
#pragma once

#include "tests/harness/server.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv::test {

struct Stay {
    enum class Verdict { none, joined, turned_away };
    Verdict verdict = Verdict::none;
    unsigned slot = 0;
    std::optional<std::string> reason{}; // its name in `chatserv stats`; once the client has left
    bool worker_died = false;            // a worker that may have served it, during its stay
    // Its kernel does not count what is written to it: a worker's death may end it.
    bool may_be_in_doubt = false;
};

class ClientHistory {
public:
    explicit ClientHistory(Server& server) : server_(server) {}

    // The next line that names this address is about this stay.
    [[nodiscard]] std::shared_ptr<const Stay> expect(const std::string& address);
    // Of the source of this name in the log; null until it is connected.
    [[nodiscard]] std::shared_ptr<const Stay> source(const std::string& name) const;

    // Reads the lines that were written since the last call.
    void read();

    // The last process that took up each entry.
    [[nodiscard]] const std::vector<pid_t>& workers() const { return workers_; }

    [[nodiscard]] std::uint64_t joined() const { return joined_; }
    [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }
    [[nodiscard]] std::uint64_t left() const;
    [[nodiscard]] const std::map<std::string, std::uint64_t>& left_by_reason() const {
        return left_;
    }
    // Connections that expect() was not asked about and that the server has seen, without sources.
    [[nodiscard]] std::uint64_t strangers() const { return strangers_; }
    [[nodiscard]] std::uint64_t sources() const { return sources_.size(); }
    // Lines that no server writes in which all is well.
    [[nodiscard]] const std::vector<std::string>& alarms() const { return alarms_; }

private:
    struct Presence {
        std::shared_ptr<Stay> stay;
        std::uint64_t starts = 0; // of workers, before the join
    };

    void read(const std::string& line);
    void worker_started(std::size_t worker, pid_t pid);
    [[nodiscard]] std::shared_ptr<Stay> take(const std::string& address);
    void source_joined(const std::string& name, const std::shared_ptr<Stay>& stay);
    void left(unsigned slot, const std::string& words);

    Server& server_;
    std::size_t lines_read_ = 0;
    std::map<std::string, std::shared_ptr<Stay>> expected_; // by address
    std::map<std::string, std::shared_ptr<Stay>> sources_;  // by name
    std::map<unsigned, std::string> connected_sources_;     // by slot: those that have not joined
    std::map<unsigned, Presence> present_;                  // by slot
    std::vector<pid_t> workers_;
    std::uint64_t starts_ = 0; // of workers
    std::uint64_t joined_ = 0;
    std::uint64_t turned_away_ = 0;
    std::uint64_t strangers_ = 0;
    std::map<std::string, std::uint64_t> left_;
    std::vector<std::string> alarms_;
};

} // namespace chatserv::test
