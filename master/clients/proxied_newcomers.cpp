#include "master/clients/proxied_newcomers.h"

#include "master/config/network.h"
#include "master/start/descriptor_limit.h"
#include "shared/system/peek.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace chatserv {

namespace {

using Verdict = ProxiedNewcomers::Verdict;

static_assert(newcomers_waiting_max == proxied_waiting_max);

Verdict refused(const Newcomers::Arrival& arrival, Refusal why) {
    return {.arrival = arrival, .refusal = why};
}

} // namespace

bool ProxiedNewcomers::is_trusted(const Address& proxy) const {
    if (proxy.is_unix()) // the mode of the socket's file says who may connect
        return true;
    const IpBytes ip = ip_of(proxy);
    return std::ranges::any_of(
        terms_.trust, [&](const Network& network) { return network.contains(ip); });
}

// `ended`: no more bytes will come. Nothing if more bytes are needed. A connection that ends
// without a byte is how programs find out whether somebody listens.
std::optional<Verdict> ProxiedNewcomers::look(const Newcomers::Arrival& arrival, bool ended) {
    std::array<char, proxy_header_bytes_max> bytes{};
    const ssize_t got = peek(arrival.newcomer.socket, bytes);
    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return std::nullopt;
    if (got <= 0)
        return refused(arrival, Refusal::proxy_check);
    const ProxyHeader header = parse_proxy_header({bytes.data(), static_cast<size_t>(got)});
    if (header.state == ProxyHeader::State::wrong)
        return refused(arrival, Refusal::proxy_header);
    if (header.state == ProxyHeader::State::incomplete)
        return ended ? std::optional(refused(arrival, Refusal::proxy_header)) : std::nullopt;
    if (!header.relayed)
        return refused(arrival, Refusal::proxy_check);
    Verdict announced{.arrival = arrival, .header_bytes = header.bytes};
    announced.arrival.peer = header.client.value_or(arrival.peer);
    return announced;
}

std::optional<Verdict> ProxiedNewcomers::begin(const Newcomers::Arrival& arrival) {
    if (!is_trusted(arrival.peer))
        return refused(arrival, Refusal::proxy_untrusted);
    if (auto verdict = look(arrival, false))
        return verdict;
    if (events_.watch_newly_readable(arrival.newcomer.socket, tag_) != 0)
        return refused(arrival, Refusal::proxy_silent);
    waiting_.push_back({.arrival = arrival, .since = clock_.now()});
    return std::nullopt;
}

std::optional<Verdict> ProxiedNewcomers::handle(const EventQueue::Event& event) {
    const auto found = std::ranges::find_if(waiting_, [&](const Waiting& waiting) {
        return waiting.arrival.newcomer.socket == descriptor_of(event);
    });
    if (found == waiting_.end())
        return std::nullopt;
    auto verdict = look(found->arrival, is_at_end(event));
    if (verdict)
        forget(found);
    return verdict;
}

std::optional<Verdict> ProxiedNewcomers::take_late() {
    if (waiting_.empty() || (waiting_.size() <= newcomers_waiting_max &&
                                clock_.now() < waiting_.front().since + terms_.time_limit))
        return std::nullopt;
    return take_oldest();
}

std::optional<Verdict> ProxiedNewcomers::take_oldest() {
    if (waiting_.empty())
        return std::nullopt;
    const Verdict verdict = refused(waiting_.front().arrival, Refusal::proxy_silent);
    forget(waiting_.begin());
    return verdict;
}

// The descriptor stays open: as a client's it has no filter in this process.
void ProxiedNewcomers::forget(Place place) {
    events_.unwatch_readable(place->arrival.newcomer.socket);
    waiting_.erase(place);
}

void ProxiedNewcomers::forget_all() {
    while (!waiting_.empty())
        forget(std::prev(waiting_.end()));
}

std::optional<std::chrono::steady_clock::time_point> ProxiedNewcomers::next_look() const {
    if (waiting_.empty())
        return std::nullopt;
    return std::chrono::steady_clock::now() + ServedClock::sleep_max(terms_.time_limit);
}

} // namespace chatserv
