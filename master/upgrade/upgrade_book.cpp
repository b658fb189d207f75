#include "master/upgrade/upgrade_book.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/printable_text.h"
#include "shared/system/version.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>

namespace chatserv {

namespace {

// The steady clock is one for all processes of a machine.
uint64_t now_ns() {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
}

double milliseconds_between(uint64_t begin_ns, uint64_t end_ns) {
    return end_ns < begin_ns ? 0 : static_cast<double>(end_ns - begin_ns) / 1e6;
}

void put(std::span<char> field, std::string_view text) {
    field[text.copy(field.data(), field.size() - 1)] = '\0';
}

} // namespace

UpgradeState UpgradeBook::state() const {
    return static_cast<UpgradeState>(load_acquire(words_.state));
}

void UpgradeBook::enter(UpgradeState state) {
    if (state == UpgradeState::handing_over)
        words_.handed_over_ns = now_ns();
    store_release(words_.state, static_cast<uint32_t>(state));
}

void UpgradeBook::begin(Image former) {
    words_.former = former.number;
    words_.begun_ns = now_ns();
    words_.handed_over_ns = words_.serving_ns = words_.users_waited_ns = 0;
    words_.workers = 0;
    put(words_.from, program_version());
    put(words_.to, "");
    put(words_.reason, "");
    store_release(words_.number, words_.number + 1);
    enter(UpgradeState::trying);
}

void UpgradeBook::note_version(std::string_view to) {
    put(words_.to, to);
}

void UpgradeBook::note_reason(std::string_view reason) {
    if (words_.reason[0] != '\0')
        return;
    constexpr size_t bytes_max = sizeof words_.reason - 1;
    if (reason.size() <= bytes_max)
        return put(words_.reason, reason);
    constexpr std::string_view rest = "...";
    put(words_.reason, std::string(beginning_of(reason, bytes_max - rest.size())).append(rest));
}

void UpgradeBook::note_serving() {
    words_.serving_ns = now_ns();
}

void UpgradeBook::note_takeover(double milliseconds) {
    ++words_.workers;
    words_.users_waited_ns =
        std::max(words_.users_waited_ns, static_cast<uint64_t>(milliseconds * 1e6));
}

void UpgradeBook::end() {
    words_.failed = words_.reason[0] != '\0' ? 1 : 0;
    words_.begun_ns = now_ns() - words_.begun_ns; // from now on: how long it took
    store_release(words_.ended, words_.number);
    enter(UpgradeState::none);
}

std::optional<UpgradeReport> UpgradeBook::last() const {
    if (words_.ended == 0 || under_way())
        return std::nullopt;
    return UpgradeReport{.number = words_.ended,
        .failed = words_.failed != 0,
        .reason = words_.reason,
        .from = words_.from,
        .to = words_.to,
        .milliseconds = static_cast<double>(words_.begun_ns) / 1e6,
        .newcomers_waited_ms = milliseconds_between(words_.handed_over_ns, words_.serving_ns),
        .users_waited_ms = static_cast<double>(words_.users_waited_ns) / 1e6,
        .workers = words_.workers};
}

} // namespace chatserv
