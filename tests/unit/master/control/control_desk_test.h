// The fixture of tests of the control desk: a server of two workers that are never started.
#pragma once

#include "master/config/processors.h"
#include "master/control/control_desk.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_ledger.h"
#include "tests/unit/small_segment.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

class ControlDeskTest : public testing::Test {
protected:
    using Request = ControlConnections::Request;
    using json = nlohmann::json;
    enum class Watched : uint8_t {
        listener = 1,
        channel = 2,
        lingering = 3,
        control = 4,
        source = 9,
        proxied = 10
    };

    static Options two_workers() {
        Options options;
        options.workers = 2;
        options.max_rate_bytes = 0;
        return options;
    }
    static std::vector<Listener> one_listener() {
        std::vector<Listener> listeners;
        listeners.emplace_back(*Address::parse("127.0.0.1:0"));
        return listeners;
    }
    // A program that stands in for the worker; it is never started.
    static std::string with_a_worker_program(const std::filesystem::path& folder) {
        const std::filesystem::path program = folder / "chatserv-worker";
        std::ofstream(program) << "#!/bin/sh\n";
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        return (folder / "chatserv").string();
    }

    json answer(Request::Kind kind, uint32_t worker = 0) {
        return json::parse(desk_.answer({.kind = kind, .worker = worker}));
    }

    ClientId take_in(const std::string& address, EntryId entry = EntryId{1}) {
        const ClientId client =
            clients_.take_in({newcomer(make_stream_pair().first), *Address::parse(address)}, entry);
        segment_.users.attach(client, segment_.log.head());
        return client;
    }
    json kick(const char* user) {
        return json::parse(
            desk_.answer({.kind = Request::Kind::kick, .user = *UserChoice::parse(user)}));
    }
    json users(uint32_t from = 0) {
        return json::parse(desk_.answer({.kind = Request::Kind::users, .slot = from}));
    }

    const test::TemporaryDirectory folder_;
    const Options options_ = two_workers();
    SmallSegment segment_{4};
    EventQueue events_;
    ServedRecord record_{};
    ServedClock clock_{record_, std::chrono::milliseconds(100)};
    std::vector<FdPair> doorbells_;
    const WorkerProgram program_{with_a_worker_program(folder_.path())};
    const Ledger ledger_{small_ledger()};
    ClientBook clients_{ledger_, segment_.users, events_, clock_,
        {.entries = 2,
            .keep_account = false,
            .rules = {},
            .limits = {},
            .lingering_tag = Watched::lingering,
            .lingering_timer = 3}};
    std::vector<Listener> listeners_ = one_listener();
    Acceptor acceptor_{events_, clock_, listeners_, Watched::listener, Watched::proxied, 0};
    WorkerPool pool_{WorkerStarter(program_, options_, segment_.mapping, doorbells_), options_,
        segment_.mapping, ledger_, events_, clock_, Watched::channel,
        [this](EntryId entry) { return clients_.escrow().clients_of(entry); }};
    Moving moving_{2, clients_.escrow()};
    Draining draining_{ledger_.entries().first(2), clients_.escrow(), moving_, clock_,
        [this](EntryId entry) { return served_[index_of(entry)]; }};
    Balancer balancer_{PlacementPolicy::load, 2, segment_.mapping, clients_.escrow(), moving_,
        draining_, [](EntryId) { return std::nullopt; }, usable_processors};
    Kicking kicking_{2, clients_.escrow()};
    std::array<bool, 2> served_{};
    Upgrading upgrading_{ledger_, Image{}, ""};
    const MetricsResources no_metrics_{};
    const MetricsProcess metrics_{no_metrics_, options_, segment_.mapping, ledger_, events_, 0};
    const BridgeResources no_bridge_{};
    BridgeProcess bridge_{
        {no_bridge_, options_, segment_.mapping, ledger_, doorbells_, events_, clock_, 0}};
    const SourceResources no_sources_{};
    const Acceptor::ChooseEntry choose_entry_ = [] { return EntryId{0}; };
    const Sources sources_{{no_sources_, options_, segment_.mapping, ledger_, events_, clients_,
        acceptor_, kicking_, choose_entry_, Watched::source, 0}};
    ReloadBook reloads_{ledger_};
    std::string why_no_reload_;
    ControlDesk desk_{events_, Watched::control, nullptr,
        {.segment = segment_.mapping,
            .ledger = ledger_,
            .options = options_,
            .clients = clients_,
            .acceptor = acceptor_,
            .pool = pool_,
            .balancer = balancer_,
            .draining = draining_,
            .kicking = kicking_,
            .upgrading = upgrading_,
            .metrics = metrics_,
            .bridge = bridge_,
            .sources = sources_,
            .reloads = reloads_,
            .why_no_upgrade = [] { return "it is Sunday"; },
            .ask_for_reload =
                [this] {
                    if (why_no_reload_.empty())
                        (void)reloads_.ask();
                    return why_no_reload_;
                },
            .hang_limit = std::chrono::milliseconds(1500),
            .server = 4711}};
};

} // namespace chatserv
