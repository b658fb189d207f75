#include "tests/bridge/delivered.h"

#include "bridge/order/batch.h"
#include "bridge/order/digest.h"

#include <algorithm>
#include <sstream>

namespace chatserv::test {
namespace {

constexpr uint64_t numbers_around = 2;

bool has(const Delivered& delivered, uint64_t number, const std::string& message) {
    const auto [begin, end] = delivered.equal_range(number);
    return std::any_of(begin, end, [&](const auto& entry) { return entry.second == message; });
}

void write(std::ostream& out, uint64_t number, const std::string& message) {
    out << "\n    " << number << ", digest " << std::hex << Digest().add(message).value()
        << std::dec;
    const std::optional<Batch> batch = read_batch(message);
    if (!batch)
        return;
    out << ": kind " << static_cast<uint32_t>(batch->kind) << " of " << batch->incarnation
        << " in epoch " << batch->epoch << ", bytes " << batch->from << " to " << batch->to()
        << ", has read up to " << batch->applied;
}

} // namespace

std::optional<Delivery> NotingEngine::take() {
    std::optional<Delivery> delivery = engine_->take();
    if (delivery && !has(delivered_, delivery->number, delivery->message))
        delivered_.emplace(delivery->number, delivery->message);
    return delivery;
}

std::optional<uint64_t> first_difference(const Delivered& one, const Delivered& other) {
    for (const auto& delivery : one) {
        const auto [begin, end] = other.equal_range(delivery.first);
        const bool differs = std::any_of(
            begin, end, [&](const auto& entry) { return entry.second != delivery.second; });
        if (differs || one.count(delivery.first) > 1)
            return delivery.first;
    }
    return std::nullopt;
}

std::string text_around(uint64_t number, const Delivered& delivered) {
    std::ostringstream out;
    const auto end = delivered.upper_bound(number + numbers_around);
    const uint64_t first = number - std::min(number, numbers_around);
    for (auto at = delivered.lower_bound(first); at != end; ++at)
        write(out, at->first, at->second);
    return out.str();
}

} // namespace chatserv::test
