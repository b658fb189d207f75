// The segment as the master reads it, after workers have written anything there: recovering
// entries, watching heartbeats, admitting and releasing. Its own books must stay as they are: no
// nonsense in one entry may cost a client of another anything. It never panics.
//
// Input: the situation (1), then steps: what (1), and what it needs.
#include "master/clients/escrow.h"
#include "master/workers/hang_watch.h"
#include "master/workers/takeover.h"
#include "tests/fuzz/conversation.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace chatserv::fuzz {

namespace {

constexpr std::chrono::milliseconds hang_limit{2000};
constexpr size_t steps_max = 64;

class MasterSide {
public:
    explicit MasterSide(Conversation& conversation) : conversation_(conversation) {
        for (const EntryId entry : entry_of)
            admit(entry);
    }

    void step(Input& input) {
        const auto what = input.take<uint8_t>();
        switch (what % 6) {
        case 0:
        case 1:
            conversation_.overwrite(input);
            break;
        case 2:
            recover(EntryId{what / 6U % 2U});
            break;
        case 3:
            look_for_hangs(input.take<uint32_t>());
            break;
        case 4:
            if (!escrow_.full())
                admit(EntryId{what / 6U % 2U});
            break;
        case 5:
            // Word of a worker, who may name anyone.
            if (const ClientId client{SlotId{input.take<uint32_t>()}, input.take<uint32_t>()};
                escrow_.find(client) != nullptr) {
                if (what / 6U % 3U == 2)
                    move(client);
                else
                    release(client);
            }
            break;
        default:
            break;
        }
    }

    void recover(EntryId entry) {
        const EntryId other = entry == entry_0 ? entry_1 : entry_0;
        const std::vector<ClientId> others = escrow_.all_of(other);
        for (const ClientId lost :
            recover_entry(entry, conversation_.segment, escrow_, doorbells_)) {
            const HeldClient* const held = escrow_.find(lost);
            must(held != nullptr && held->entry() == entry, "somebody else's client is lost");
            release(lost);
        }
        must(escrow_.all_of(other) == others, "a recovery changed another entry's clients");
        look_at_what_a_successor_gets(entry);
        check_books();
    }

    void check_books() {
        must(escrow_.held() == held_.size(), "a client was released without a word");
        for (const auto& [client, entry] : held_) {
            const HeldClient* const held = escrow_.find(client);
            must(held != nullptr && held->entry() == entry, "the books have changed");
        }
    }

private:
    // Made once, since that takes as long as many cases.
    static const Ledger& empty_ledger(uint32_t users) {
        static const Ledger ledger = Ledger::create({.users = users, .workers = 2});
        std::ranges::fill(ledger.clients(), ClientRecord{});
        return ledger;
    }

    void admit(EntryId entry) {
        static const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        const ClientId client =
            escrow_.admit({.socket = ::fcntl(null, F_DUPFD_CLOEXEC, 0)}, Address(), entry);
        held_.emplace_back(client, entry);
    }

    // A worker says that it has let the client go. (Workforce::move)
    void move(ClientId client) {
        const EntryId from = escrow_.find(client)->entry();
        const EntryId to = from == entry_0 ? entry_1 : entry_0;
        const UserSlot& slot = conversation_.users[client.slot];
        if (!conversation_.log.can_serve(slot) || !escrow_.reassign(client, to))
            return;
        const SlotStatus status = status_of(slot);
        must(status.owner == to && status.generation == client.generation,
            "a client has moved, and its slot says otherwise");
        for (auto& [held, entry] : held_)
            if (held == client)
                entry = to;
    }

    void release(ClientId client) {
        escrow_.release(client);
        std::erase_if(held_, [client](const auto& held) { return held.first == client; });
    }

    // Each is one whom its next worker will attach: none waits for ever.
    void look_at_what_a_successor_gets(EntryId entry) {
        const Segment& segment = conversation_.segment;
        const std::vector<ClientId> clients = clients_for_successor(entry, segment, escrow_);
        must(clients.size() == escrow_.clients_of(entry), "not all clients are handed over");
        for (const ClientId client : clients) {
            const SlotStatus status = status_of(conversation_.users[client.slot]);
            must(status.generation == client.generation && status.owner == entry,
                "a client is handed over whose slot is not its entry's");
            must(status.state == SlotState::assigned ||
                     ((status.state == SlotState::orphaned || status.state == SlotState::closing ||
                          status.state == SlotState::handed_over) &&
                         conversation_.log.can_serve(conversation_.users[client.slot])),
                "a client is handed over that its worker cannot serve");
        }
        must(Staging(segment, entry).sane(), "a batch is handed over that nobody can publish");
        const uint64_t lock = segment.log_control().lock;
        must(lock <= 2 && lock != number_of(entry), "the log is locked by a worker that is dead");
    }

    void look_for_hangs(uint32_t pause_ms) {
        now_ += std::chrono::milliseconds(pause_ms % 4000);
        for (const SeatId seat : watch_.overdue(now_)) {
            must(index_of(seat) < seats_, "a process is overdue that there is not");
            watch_.leave(seat);
            must(watch_.enter(now_) == seat, "a place is not free that was left");
        }
        must(watch_.next_look().has_value(), "nobody is watched any more");
        must(*watch_.next_look() <= now_ + 10 * hang_limit, "a process is trusted for too long");
    }

    Conversation& conversation_;
    const Ledger& ledger_{empty_ledger(conversation_.users.size())};
    Escrow escrow_{ledger_, conversation_.users, 2, false};
    std::vector<FdPair> pipes_ = make_pipes(2);
    Doorbells doorbells_{conversation_.segment.worker_table(), pipes_};
    std::vector<std::pair<ClientId, EntryId>> held_;
    HangWatch::Clock::time_point now_{std::chrono::hours(1)};
    HangWatch watch_{conversation_.segment.heartbeats(), hang_limit};
    static constexpr uint32_t seats_ = 3;
    const std::array<SeatId, seats_> entered_{
        watch_.enter(now_), watch_.enter(now_), watch_.enter(now_)};
};

} // namespace

} // namespace chatserv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace chatserv::fuzz;
    std::signal(SIGPIPE, SIG_IGN);
    static Conversation conversation;
    Input input(data, size);
    const auto situation = input.take<uint8_t>();
    conversation.restore((situation & wrapped) != 0);
    MasterSide master(conversation);
    conversation.talk(situation);
    for (size_t step = 0; step < steps_max && !input.empty(); ++step)
        master.step(input);
    master.recover(entry_0);
    master.recover(entry_1);
    return 0;
}
