// The options of a connection to NATS, in the library's form.
#pragma once

#include "bridge/engine/jetstream_settings.h"

#include <memory>
#include <nats/nats.h>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

// A user of NATS: what a file of credentials holds.
struct NatsUser {
    std::string token{}; // a JSON Web Token
    std::string seed{};  // of the key that signs
};
// Nothing if the text does not hold both.
[[nodiscard]] std::optional<NatsUser> nats_user_in(std::string_view credentials);

class NatsOptions {
public:
    static constexpr int64_t connect_timeout_ms = 2000;
    static constexpr int64_t write_timeout_ms = 2000;
    // A server that is silent for longer than two of these is left for another one.
    static constexpr int64_t heartbeat_ms = 500;

    explicit NatsOptions(const JetStreamSettings& settings);

    // Why the settings cannot be used, in one line that does not hold a secret; empty: they can.
    [[nodiscard]] const std::string& refusal() const { return refusal_; }
    // Valid as long as this object, which has to outlive the making of the connection. Null if the
    // settings were refused.
    [[nodiscard]] natsOptions* get() const { return options_.get(); }

private:
    [[nodiscard]] std::string fill(const JetStreamSettings& settings);

    struct Destroy {
        void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
    };
    NatsUser user_; // the library calls for it when it connects
    std::unique_ptr<natsOptions, Destroy> options_;
    std::string refusal_;
};

} // namespace chatserv
