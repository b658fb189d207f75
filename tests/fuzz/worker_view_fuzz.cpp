// The segment as a worker reads it, after others have written anything there: attaching to it, and
// serving the clients of an entry that a dead worker left. It may refuse, by an exception or a
// panic with its message; everything else is a finding.
//
// Input: the situation (1), how (1), then steps: what (1), and what it needs.
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/refusal.h"
#include "worker/relay.h"

#include "shared/system/kernel_account.h"

#include <csignal>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {

// Stands in for the kernel's account, which keeps none of such sockets: what it says is input too.
namespace {
std::optional<ByteCounts> account;
}
const uint64_t byte_count_mask = ~0ULL;
std::optional<ByteCounts> byte_counts(int /*socket*/) {
    return account;
}
void count_reads(int /*socket*/, uint64_t /*read_before*/) {}
void count_reads_no_more(int /*socket*/) {}
std::optional<uint64_t> reads_counted(int /*socket*/, uint64_t /*at_least*/) {
    return account ? account->consumed : std::optional<uint64_t>();
}
std::optional<uint64_t> unacknowledged_bytes(int /*socket*/) {
    return account ? account->written : std::optional<uint64_t>();
}

namespace fuzz {

namespace {

constexpr size_t steps_max = 64;
constexpr std::array timers{Timer::linger, Timer::rate, Timer::idle};

// A segment that was attached is all there.
void touch_every_area(const Segment& segment) {
    volatile uint64_t sum = segment.worker_table().back().batch;
    sum = sum + segment.heartbeats().back().beat_ns + segment.user_table().back().close_at;
    sum = sum + segment.log_control().room_wanted + segment.user_control().slots_in_use;
    sum = sum + segment.index().back().end + static_cast<uint64_t>(segment.ring().back());
    const EntryId last{segment.header().workers - 1};
    sum = sum + segment.staging_chunks(last).back().end;
    sum = sum + static_cast<uint64_t>(segment.staging_bytes(last).back());
}

void attach_to(Conversation& conversation, Input& input) {
    auto* const words = reinterpret_cast<uint32_t*>(&conversation.shared_header());
    while (!input.empty()) {
        const size_t word = input.take<uint8_t>() % (sizeof(SegmentHeader) / sizeof *words);
        words[word] = input.take<uint32_t>();
    }
    try {
        const Segment segment =
            Segment::attach(UniqueFd(::fcntl(conversation.segment.fd(), F_DUPFD_CLOEXEC, 3)));
        touch_every_area(segment);
    } catch (const std::runtime_error& refusal) {
        must(refusal.what()[0] != '\0', "a segment was refused without a word");
    }
}

class WorkerSide {
public:
    explicit WorkerSide(Conversation& conversation) : conversation_(conversation) {
        for (const uint32_t slot : {0U, 1U, 4U}) {
            FdPair ends = make_stream_pair();
            peers_[slot] = std::move(ends.first);
            relay_.receive(client_id(slot), std::move(ends.second));
        }
    }

    void step(Input& input) {
        const auto what = input.take<uint8_t>();
        const uint32_t slot = std::array{0U, 1U, 4U}[what / 11 % 3];
        const ClientId client = client_id(slot);
        switch (what % 11) {
        case 0:
        case 1:
            conversation_.overwrite(input);
            break;
        case 2:
            relay_.settle();
            break;
        case 3:
            say(slot, input.take<uint16_t>());
            relay_.readable(client);
            break;
        case 4:
            hear(slot);
            relay_.writable(client);
            break;
        case 5:
            relay_.timer(Timer::room, now());
            break;
        case 6:
            (void)relay_.time_to_sleep(doorbell_, std::chrono::seconds(1));
            break;
        case 7:
            peers_[slot].reset();
            relay_.readable(client);
            break;
        case 8: // the other worker is of sound mind
            conversation_.stage(client_id(2), input.take_bytes(200));
            (void)conversation_.publish(entry_1);
            break;
        case 9:
            what / 11 % 2 == 0   ? relay_.stop_reading()
            : what / 22 % 2 == 0 ? relay_.finish(LeaveReason::server_stopped)
                                 : relay_.finish(LeaveReason::room_over);
            break;
        default:
            if (what / 11 % 6 == 3)
                relay_.hand_over(std::span(&client, 1));
            else if (what / 11 % 6 == 4)
                relay_.hand_over(std::array{client_id(4), client_id(1), client_id(clients)});
            else
                timer(what / 11 % 6 == 5 ? Timer::resume : timers[what / 11 % 6]);
            break;
        }
        for (const ClientId moved : relay_.take_report().handed_over)
            come_back(moved);
    }

    void settle() { relay_.settle(); }

private:
    // The client is given back, as if another worker had let it go.
    void come_back(ClientId client) {
        const uint32_t slot = index_of(client.slot);
        if (!conversation_.users.reassign(client, entry_0, entry_0))
            return;
        FdPair ends = make_stream_pair();
        peers_.at(slot) = std::move(ends.first);
        relay_.receive(client, std::move(ends.second));
    }

    // As if the time had come: the outcome does not depend on how long an input takes.
    void timer(Timer timer) {
        Instants when = now();
        when.steady += Resuming::patience;
        when.served += idle_timeout;
        relay_.timer(timer, when);
    }

    Instants now() { return {relay_.clock().now(), RateLimiter::Clock::now()}; }

    void say(uint32_t slot, size_t bytes) {
        const std::string text(bytes, 'x');
        if (peers_[slot]) [[maybe_unused]]
            const ssize_t sent = ::send(peers_[slot].get(), text.data(), text.size(), MSG_NOSIGNAL);
    }

    void hear(uint32_t slot) {
        std::array<char, 4096> text;
        while (peers_[slot] && ::recv(peers_[slot].get(), text.data(), text.size(), 0) > 0) {
        }
    }

    Conversation& conversation_;
    EventQueue events_;
    std::vector<FdPair> pipes_ = make_pipes(2);
    Doorbells doorbells_{conversation_.segment.worker_table(), pipes_};
    std::array<UniqueFd, clients> peers_;
    Doorbell doorbell_{conversation_.segment.worker_table()[0], pipes_[0].first.get()};
    Relay relay_{conversation_.segment, entry_0, events_, doorbells_,
        conversation_.segment.heartbeats()[0], account_of, conversation_.segment.first_settings()};
};

void serve(Conversation& conversation, Input& input) {
    const auto overwritten = input.take<uint8_t>() % 8;
    if (const auto written = input.take<uint16_t>(); written % 8 != 7)
        account = ByteCounts{.written = written / 8U, .consumed = input.take<uint16_t>()};
    for (int i = 0; i < overwritten; ++i)
        conversation.overwrite(input);
    WorkerSide worker(conversation);
    for (size_t step = 0; step < steps_max && !input.empty(); ++step)
        worker.step(input);
    worker.settle();
}

void run(Conversation& conversation, Input& input) {
    const auto situation = input.take<uint8_t>();
    const auto how = input.take<uint8_t>();
    account.reset();
    conversation.restore((situation & wrapped) != 0);
    if (how % 8 == 0)
        return attach_to(conversation, input);
    for (uint32_t slot = 0; slot < clients; ++slot)
        conversation.users.assign(client_id(slot), entry_of[slot]);
    conversation.talk(situation & ~locked);
    for (const uint32_t slot : {0U, 1U, 4U})
        (void)conversation.users.orphan(client_id(slot), entry_0);
    try {
        serve(conversation, input);
    } catch (const Refusal& refusal) {
        must(refusal.what[0] != '\0', "a panic without a word");
    }
}

} // namespace

} // namespace fuzz

} // namespace chatserv

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace chatserv::fuzz;
    std::signal(SIGPIPE, SIG_IGN);
    static Conversation conversation;
    Input input(data, size);
    run(conversation, input);
    return 0;
}
