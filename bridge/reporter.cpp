#include "bridge/reporter.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/printable_text.h"

#include <cstring>
#include <string>
#include <string_view>

namespace chatserv {
namespace {

// A text that another process may be reading: it may see a part of the former one, but always an
// end.
template <size_t bytes>
void store(char (&to)[bytes], const std::string& text) {
    const std::string line = as_one_line(text);
    const std::string_view fits = beginning_of(line, bytes - 1);
    std::memset(to, 0, bytes);
    std::memcpy(to, fits.data(), fits.size());
}

void store_if_new(uint64_t& word, uint64_t value) {
    if (load_acquire(word) != value)
        store_release(word, value);
}

} // namespace

Reporter::Reporter(RoomReport& report) :
    report_(report), before_{.appended = load_acquire(report.messages),
                         .dropped = load_acquire(report.repeated),
                         .published_again = load_acquire(report.published_again)} {}

std::optional<RoomCondition> Reporter::former() const {
    const uint64_t since_ms = load_acquire(report_.link_since_ms);
    const uint32_t link = load_acquire(report_.link);
    if (since_ms == 0 || link > static_cast<uint32_t>(LinkState::delivering))
        return std::nullopt;
    const std::string_view trouble(report_.trouble, sizeof report_.trouble);
    return RoomCondition{.state = static_cast<LinkState>(link),
        .since_ms = since_ms,
        .trouble = std::string(trouble.substr(0, trouble.find('\0')))};
}

OrderLoss Reporter::loss() const {
    const uint32_t loss = load_acquire(report_.loss);
    return loss <= static_cast<uint32_t>(OrderLoss::outvoted) ? static_cast<OrderLoss>(loss)
                                                              : OrderLoss::none;
}

void Reporter::report(const RoomCondition& condition, const Exchange& exchange) {
    if (reported_ != condition) {
        if (!reported_ || reported_->trouble != condition.trouble)
            store(report_.trouble, condition.trouble);
        store_release(report_.link, static_cast<uint32_t>(condition.state));
        store_release(report_.link_since_ms, condition.since_ms);
        reported_ = condition;
    }
    const Exchange::Counts& counts = exchange.counts();
    store_if_new(report_.others, exchange.order().witnesses().hosts());
    store_if_new(report_.applied_number, exchange.order().resume_from());
    store_if_new(report_.messages, before_.appended + counts.appended);
    store_if_new(report_.repeated, before_.dropped + counts.dropped);
    store_if_new(report_.published_again, before_.published_again + counts.published_again);
}

void Reporter::report_loss(OrderLoss loss) {
    store_release(report_.loss, static_cast<uint32_t>(loss));
}

} // namespace chatserv
