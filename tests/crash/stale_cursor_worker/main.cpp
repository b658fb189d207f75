// The control: a worker that does not ask the kernel how far a client in doubt got, but believes
// what its predecessor had recorded. The tests of takeovers have to see this worker lose bytes and
// repeat bytes.
#include "shared/segment/atomic_word.h"
#include "worker/start.h"

namespace {

chatserv::SocketCounts stale_account(const chatserv::Client& client) {
    return {.written = chatserv::cursor_of(*client.slot).bytes_written,
        .consumed = chatserv::load_acquire(client.slot->bytes_read)};
}

} // namespace

int main(int argc, char** argv) {
    return chatserv::start_worker(argc, argv, stale_account);
}
