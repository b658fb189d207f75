// The channel as a peer that has lost its mind uses it: any bytes in any pieces, with descriptors
// that no frame names, or fewer or more than one names, or that there is no room for.
//
// A piece of input: bytes (2), descriptors (1), room (1: how few descriptors may be opened, where
// it is odd), then that many bytes of the stream.
#include "shared/ipc/channel.h"

#include "master/clients/departures.h"
#include "master/workers/worker_messages.h"
#include "shared/ipc/protocol.h"
#include "tests/fuzz/input.h"

#include <array>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace chatserv::fuzz {

namespace {

int null_device() {
    static const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd;
}

// More than one message can carry would not be taken by the kernel.
void send_piece(int socket, std::string_view bytes, size_t descriptors) {
    std::array<int, descriptors_max> fds;
    fds.fill(null_device());
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control{};
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (descriptors > 0) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
        std::memcpy(CMSG_DATA(header), fds.data(), descriptors * sizeof(int));
    }
    [[maybe_unused]] const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

// Leaves this process room for so few more descriptors.
class TightLimit {
public:
    TightLimit(int lowest_free, rlim_t room) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit tight{
            .rlim_cur = static_cast<rlim_t>(lowest_free) + room, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &tight);
    }
    ~TightLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    TightLimit(const TightLimit&) = delete;
    TightLimit& operator=(const TightLimit&) = delete;

private:
    rlimit before_{};
};

template <typename Item>
void read_all(const Message& message) {
    const auto items = message.items<Item>();
    must(items.has_value() == (message.payload.size() % sizeof(Item) == 0), "items of part sizes");
    must(!items || items->size() * sizeof(Item) == message.payload.size(), "items out of nowhere");
}

// Whatever a message holds, the master takes words about clients only from a worker that serves an
// entry, and gets nothing out of one that carries descriptors.
void read_as_master(const Message& message) {
    for (const bool ready : {false, true}) {
        const WorkerMessage of_spare = parse_worker_message(message, {ready, false});
        must(!std::holds_alternative<Attached>(of_spare) &&
                 !std::holds_alternative<Closed>(of_spare) &&
                 !std::holds_alternative<Throttled>(of_spare) &&
                 !std::holds_alternative<NotReceived>(of_spare),
            "a process without an entry spoke of clients");
        must(!ready || !std::holds_alternative<CannotWork>(of_spare),
            "a process that is ready said that it cannot work");
    }
    for (const bool has_entry : {false, true}) {
        const WorkerMessage first =
            parse_worker_message(message, {true, has_entry, WorkerProcess::Introduction::awaited});
        must(std::holds_alternative<Hello>(first) || std::holds_alternative<Malformed>(first),
            "a process spoke on its new channel before it said hello");
        const WorkerMessage later = parse_worker_message(
            message, {true, has_entry, WorkerProcess::Introduction::under_way});
        must(!std::holds_alternative<Hello>(later), "a process said hello twice");
    }
    const WorkerMessage said = parse_worker_message(message, {true, true});
    must(!std::holds_alternative<Introduced>(said) && !std::holds_alternative<Hello>(said),
        "a process introduced itself, and nobody had asked it to");
    must(message.descriptors.empty() || std::holds_alternative<Malformed>(said),
        "a worker sent descriptors");
    if (const auto* const closed = std::get_if<Closed>(&said))
        for (const ClosedClient& client : closed->clients)
            must(is_told_by_workers(client.reason),
                "a client left for a reason that no worker gives");
}

// As the master and the workers do it.
void read_message(const Message& message) {
    must(message.payload.size() <= payload_bytes_max, "a payload larger than a frame");
    must(message.descriptors.size() <= descriptors_max, "more descriptors than a frame has");
    must(!message.descriptors_lost || message.descriptors.empty(), "some of a lost set");
    for (const UniqueFd& fd : message.descriptors)
        must(::fcntl(fd.get(), F_GETFD) == FD_CLOEXEC, "a descriptor that is not one");
    read_as_master(message);
    switch (message.type) {
    case MessageType::hello:
        return read_all<Hello>(message);
    case MessageType::take_entry:
        return read_all<TakeEntry>(message);
    case MessageType::closed:
        return read_all<ClosedClient>(message);
    case MessageType::settled:
        return read_all<Settled>(message);
    default:
        return read_all<ClientId>(message);
    }
}

int lowest_free_descriptor() {
    return UniqueFd(::fcntl(0, F_DUPFD_CLOEXEC, 0)).get();
}

// The fuzzer's own are not close-on-exec.
size_t open_descriptors(int from) {
    size_t open = 0;
    for (int fd = from; fd < from + 3 * static_cast<int>(descriptors_max); ++fd)
        open += ::fcntl(fd, F_GETFD) == FD_CLOEXEC ? 1U : 0U;
    return open;
}

void talk(Input& input) {
    FdPair ends = make_stream_pair();
    Channel channel(std::move(ends.second));
    const int lowest_free = lowest_free_descriptor();
    bool descriptors_sent = false;
    while (!input.empty()) {
        const size_t bytes = input.take<uint16_t>() % 20'000U;
        const size_t descriptors = input.take<uint8_t>() % (descriptors_max + 1);
        const auto room = input.take<uint8_t>();
        send_piece(ends.first.get(), input.take_bytes(bytes), descriptors);
        descriptors_sent = descriptors_sent || descriptors > 0;
        std::optional<TightLimit> limit;
        if (room % 2 == 1)
            limit.emplace(lowest_free, room / 2);
        Message message;
        Channel::Received received = channel.receive(message);
        while (received == Channel::Received::message) {
            read_message(message);
            message = {};
            received = channel.receive(message);
        }
        limit.reset();
        if (received != Channel::Received::nothing)
            break;
        if (descriptors_sent)
            must(open_descriptors(lowest_free) <= descriptors_max,
                "descriptors pile up that belong to no message");
    }
    ends.first.reset();
    Message last_words;
    while (channel.receive(last_words) == Channel::Received::message)
        read_message(last_words);
}

} // namespace

} // namespace chatserv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace chatserv::fuzz;
    Input input(data, size);
    (void)null_device(); // is to stay open
    const int lowest_free = lowest_free_descriptor();
    talk(input);
    must(lowest_free_descriptor() == lowest_free, "a descriptor was not closed");
    return 0;
}
