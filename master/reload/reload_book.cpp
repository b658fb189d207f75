#include "master/reload/reload_book.h"

#include "master/ledger/master_point.h"
#include "shared/segment/atomic_word.h"

#include <algorithm>

namespace chatserv {

uint32_t ReloadBook::ask() {
    const uint32_t number =
        std::max(words_.reload_begun, std::max(words_.reload_ended, reading_) + 1);
    store_release(words_.reload_begun, number);
    master_point(MasterPoint::reload_asked);
    return number;
}

void ReloadBook::end(ReloadReport report) {
    store_release(words_.reload_ended, report.number);
    master_point(MasterPoint::reload_ended);
    reading_ = 0;
    last_ = report;
    finished_ = std::move(report);
}

} // namespace chatserv
