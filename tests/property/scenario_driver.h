// Carries out a scenario against a running server and keeps what its clients received.
#pragma once

#include "tests/harness/client.h"
#include "tests/harness/server.h"
#include "tests/oracle/line_wire.h"
#include "tests/oracle/tally.h"
#include "tests/oracle/transcript.h"
#include "tests/property/scenario.h"
#include "tests/property/slot_ledger.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {

class ScenarioDriver {
public:
    // As what the clients' bytes go to the server: as they are, or as lines (line_wire.h).
    enum class Wire { bytes, lines };

    // The server listens on an endpoint for each role, in their order: 127.0.0.1, and if the
    // machine has IPv6, ::1 behind it.
    ScenarioDriver(Loop& loop, Server& server, const Scenario& scenario, Wire wire = Wire::bytes);

    // Runs all steps and then the end: every client reads what is due, and SIGTERM stops the
    // server.
    void run();

    // The violations of R1 to R7; valid after run(), even if it threw.
    [[nodiscard]] std::vector<std::string> violations();

private:
    enum class State { absent, present, leaving, turned_away };
    struct Visitor {
        State state = State::absent;
        std::unique_ptr<Client> client;
        Session session;
        LineWriter writer{0}; // with Wire::lines
        LineReader reader{};  // likewise
        Tally tally;
        std::size_t visit = 0; // its number in the ledger
        std::optional<unsigned> slot;
        bool has_left = false; // according to the log
        std::uint64_t queued_bytes = 0;
        bool input_ended = false; // it only listens, and has sent end of file
    };

    void carry_out(const Step& step);
    void join(Visitor& visitor, const ClientPlan& plan);
    void send(Visitor& visitor, unsigned sender, std::uint64_t bytes);
    void leave(Visitor& visitor, Action how);
    void await_joins();

    void finish();
    void exchange_stream_ends();
    void stop_server();

    void wait_until(const std::function<bool(const Visitor&)>& holds_for_all, const char* what);
    void observe();
    void observe_disconnections();

    // the log: see scenario_log.cpp
    void observe_log_line(const std::string& line);
    void on_joined(const std::string& address, unsigned slot);
    void on_left(unsigned slot, const std::string& reason);
    void on_turned_away(const std::string& address);
    void check_reason(const Visitor& visitor, const std::string& reason);
    [[nodiscard]] Visitor* undecided(const std::string& address);

    [[nodiscard]] std::vector<PerSender> delivered() const;
    [[nodiscard]] bool has_stream_end(const Visitor& reader, const Visitor& writer) const;
    [[nodiscard]] bool anyone_is_paused() const;
    [[nodiscard]] bool anyone_relies_on_getting_in() const;
    // Bytes of the streams, whatever the wire.
    [[nodiscard]] std::uint64_t sent_by(const Visitor& visitor) const;
    [[nodiscard]] const std::string& received_by(Visitor& visitor) const;
    void check_turned_away(const Visitor& visitor);

    Loop& loop_;
    Server& server_;
    const Scenario& scenario_;
    Wire wire_;
    StreamCode code_;
    SlotLedger ledger_;
    std::vector<Visitor> visitors_;
    std::size_t log_lines_seen_ = 0;
    bool stopping_ = false;
    std::vector<std::string> violations_;
};

} // namespace chatserv::test
