// A worker under an attacker's control: it has everything that a worker has, and attacks.
//
// It stands where the master looks for chatserv-worker. The first process to find the token, a file
// that CHATSERV_TEST_HOSTILE_TOKEN names, is hostile; every other one becomes the genuine worker,
// CHATSERV_TEST_GENUINE_WORKER. CHATSERV_TEST_HOSTILITY names the attack of a hostile worker that
// has an entry and clients; CHATSERV_TEST_SEED seeds its random choices.
#include "shared/ipc/channel.h"
#include "shared/ipc/protocol.h"
#include "shared/ipc/rendezvous.h"
#include "shared/ipc/unix_socket.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/heartbeat.h"
#include "shared/segment/segment.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace chatserv::test {
namespace {

constexpr uint32_t generations_guessed = 4;

// Before the name of what a worker does when its channel is replaced.
constexpr std::string_view at_renewal = "renewal:";

// The positions of the arguments that name inherited descriptors: worker/start.h.
enum Argument {
    seat_argument = 5,
    channel_argument = 6,
    segment_argument = 7,
    rendezvous_argument = 8
};

class HostileWorker {
public:
    HostileWorker(char** argv, uint64_t seed) :
        random_(seed), segment_(Segment::attach(UniqueFd(std::atoi(argv[segment_argument])))),
        heartbeat_(segment_.heartbeats()[static_cast<size_t>(std::atoi(argv[seat_argument]))]),
        channel_(UniqueFd(std::atoi(argv[channel_argument]))),
        rendezvous_(std::atoi(argv[rendezvous_argument])) {
        say_hello(no_entry);
    }

    void run(std::string_view hostility) {
        await_work();
        if (hostility == "impostor")
            claim_everybodys_clients();
        else if (hostility == "garbage")
            send_garbage();
        else if (hostility == "nonsense")
            leave_for_no_reason();
        else if (hostility == "unasked")
            say(MessageType::handed_over, mine_);
        else if (hostility == "descriptors")
            send_descriptors();
        else if (hostility == "scribble")
            scribble();
        else if (hostility == "lock")
            lock_in_the_name_of_another();
        else if (hostility == "no-rendezvous")
            rendezvous_.reset();
        else if (hostility.starts_with(at_renewal))
            introduce_itself_with_nonsense(hostility.substr(at_renewal.size()));
        else
            std::abort();
        stay();
    }

private:
    // Behaves like a genuine worker up to here, so that the master trusts it.
    void await_work() {
        Message message;
        bool has_clients = false;
        while (!has_clients) {
            wait();
            if (next_offer(rendezvous_.get()) == Offer::Kind::channel)
                introduce_itself();
            while (channel_.receive(message) == Channel::Received::message) {
                if (message.type == MessageType::take_entry) {
                    entry_ = message.items<TakeEntry>().value().front().entry;
                    say(MessageType::settled, std::vector<Settled>{{.bytes = 0}});
                }
                if (message.type != MessageType::clients)
                    continue;
                has_clients = true;
                mine_ = message.items<ClientId>().value();
            }
        }
    }

    // Waits until something can be received or a heartbeat is due.
    void wait() {
        (void)channel_.flush();
        beat(heartbeat_);
        pollfd readable[] = {{.fd = channel_.fd(), .events = POLLIN, .revents = 0},
            {.fd = rendezvous_.get(), .events = POLLIN, .revents = 0}};
        ::poll(readable, 2, 100);
        if ((readable[1].revents & (POLLHUP | POLLERR)) != 0)
            ::_exit(0); // the master has gone
    }

    // Stays alive and reads nothing, until it is killed or the master has gone.
    void stay() {
        for (;;) {
            beat(heartbeat_);
            const bool met = static_cast<bool>(rendezvous_);
            pollfd gone{.fd = met ? rendezvous_.get() : channel_.fd(), .events = 0, .revents = 0};
            ::poll(&gone, 1, 100);
            if (met && gone.revents != 0)
                ::_exit(0);
            (void)channel_.flush();
        }
    }

    void take_new_channel() {
        while (next_offer(rendezvous_.get()) != Offer::Kind::channel)
            wait();
        channel_ = Channel(take_offer(rendezvous_.get()).channel);
    }
    // As a genuine worker does.
    void introduce_itself() {
        take_new_channel();
        say_hello(entry_);
        if (entry_ != no_entry)
            say(MessageType::settled, std::vector<Settled>{{.bytes = 0}});
        channel_.queue(MessageType::introduced);
    }
    void say_hello(EntryId entry) {
        say(MessageType::hello, std::vector<Hello>{{.layout_version = layout_version,
                                    .confinement = Confinement::not_built,
                                    .entry = entry}});
    }

    // On each new channel, since the master may have replaced that one already.
    void introduce_itself_with_nonsense(std::string_view nonsense) {
        for (;;) {
            take_new_channel();
            const EntryId other = entry_ == EntryId{0} ? EntryId{1} : EntryId{0};
            if (nonsense == "silent")
                continue; // and the heart goes on beating
            if (nonsense == "no-hello")
                say(MessageType::attached, mine_);
            else
                say_hello(nonsense == "other-entry"     ? other
                          : nonsense == "no-such-entry" ? EntryId{workers_max}
                                                        : entry_);
            if (nonsense == "two-hellos")
                say_hello(entry_);
            if (nonsense == "unasked")
                say(MessageType::handed_over, mine_);
        }
    }

    template <typename Item>
    void say(MessageType type, const std::vector<Item>& items) {
        channel_.queue(type, std::span<const Item>(items));
    }

    [[nodiscard]] std::vector<ClientId> everybody() const {
        std::vector<ClientId> clients;
        for (uint32_t slot = 0; slot < segment_.header().users + 1; ++slot)
            for (uint32_t generation = 0; generation < generations_guessed; ++generation)
                clients.push_back({.slot = SlotId{slot}, .generation = generation});
        return clients;
    }

    void claim_everybodys_clients() {
        std::vector<ClosedClient> closed;
        for (const ClientId client : everybody())
            closed.push_back({.client = client, .reason = LeaveReason::stalled, .error = -1});
        say(MessageType::attached, everybody());
        say(MessageType::not_received, everybody());
        std::vector<ClientId> others = everybody();
        std::erase_if(others, [&](ClientId client) {
            return std::find(mine_.begin(), mine_.end(), client) != mine_.end();
        });
        say(MessageType::handed_over, others);
        say(MessageType::closed, closed);
        say(MessageType::stopped_reading, std::vector<ClientId>{});
        say(MessageType::settled, std::vector<Settled>{{.bytes = ~0ULL}});
    }

    void leave_for_no_reason() {
        say(MessageType::closed,
            std::vector<ClosedClient>{
                {.client = mine_.front(), .reason = LeaveReason{77}, .error = 0}});
    }

    // An endless flood of well-formed messages, so small that receiving one takes longer than
    // sending it: the master must still serve others.
    void flood_for_ever() {
        const Frame frame(MessageType::settled, Settled{.bytes = 0});
        std::vector<char> frames(4000 * sizeof frame);
        for (size_t at = 0; at < frames.size(); at += sizeof frame)
            std::memcpy(&frames[at], &frame, sizeof frame);
        for (size_t sent = 0;;) {
            beat(heartbeat_);
            const ssize_t now = ::write(channel_.fd(), &frames[sent], frames.size() - sent);
            if (now == -1 && errno != EAGAIN && errno != EINTR)
                ::_exit(0);
            sent = (sent + static_cast<size_t>(std::max<ssize_t>(now, 0))) % frames.size();
        }
    }

    void send_garbage() {
        std::array<uint64_t, 512> words{};
        for (uint64_t& word : words)
            word = random_();
        (void)!::write(channel_.fd(), words.data(), sizeof words);
    }

    // The master expects no descriptors and must not be filled up with them.
    void send_descriptors() {
        const std::vector<int> many(descriptors_max, channel_.fd());
        channel_.queue(MessageType::attached, std::span<const ClientId>(mine_), many);
    }

    // Writes everywhere in the segment, mostly where its few important words are.
    void scribble() {
        const SegmentHeader& header = segment_.header();
        auto* const first = reinterpret_cast<uint64_t*>(segment_.worker_table().data());
        const auto words_up_to = [&](uint64_t offset) {
            return (offset - header.worker_table_offset) / sizeof(uint64_t);
        };
        for (int count = 0; count < 4000; ++count) {
            const uint64_t bound =
                words_up_to(count % 2 == 0 ? header.index_offset : header.segment_bytes);
            const uint64_t values[] = {0, 1, ~0ULL, random_(), random_() % 100'000};
            store_release(first[random_() % bound], values[random_() % std::size(values)]);
        }
        ::_exit(1); // the master recovers its entry
    }

    void lock_in_the_name_of_another() {
        constexpr uint64_t worker_2 = 2;
        while (!replace_if(segment_.log_control().lock, 0, worker_2))
            beat(heartbeat_);
    }

    std::mt19937_64 random_;
    Segment segment_;
    Heartbeat& heartbeat_;
    Channel channel_;
    UniqueFd rendezvous_;
    EntryId entry_ = no_entry;
    std::vector<ClientId> mine_;
};

std::string from_environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

} // namespace
} // namespace chatserv::test

int main(int, char** argv) {
    using namespace chatserv::test;
    if (::unlink(from_environment("CHATSERV_TEST_HOSTILE_TOKEN").c_str()) != 0) {
        const std::string genuine = from_environment("CHATSERV_TEST_GENUINE_WORKER");
        ::execv(genuine.c_str(), argv);
        return 1;
    }
    HostileWorker(argv, std::stoull(from_environment("CHATSERV_TEST_SEED")))
        .run(from_environment("CHATSERV_TEST_HOSTILITY"));
}
