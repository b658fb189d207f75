#include "bridge/engine/nats_options.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace chatserv {
namespace {

// The library calls this in a thread of its own, for a connection that it holds meanwhile. It
// reports missing heartbeats in no other way.
void close_after_error(natsConnection* connection, natsSubscription* /*subscription*/,
    natsStatus /*error*/, void* /*closure*/) {
    natsConnection_Close(connection);
}

// The library frees the copy.
natsStatus give_token(char** token, char** /*error*/, void* closure) {
    *token = ::strdup(static_cast<const NatsUser*>(closure)->token.c_str());
    return *token != nullptr ? NATS_OK : NATS_NO_MEMORY;
}

natsStatus give_signature(
    char** /*error*/, unsigned char** signature, int* length, const char* nonce, void* closure) {
    return nats_Sign(static_cast<const NatsUser*>(closure)->seed.c_str(), nonce, signature, length);
}

// The line behind the one that says what follows.
std::string block_in(std::string_view text, std::string_view heading) {
    const size_t found = text.find(heading);
    const size_t begin =
        found == std::string_view::npos ? std::string_view::npos : text.find('\n', found);
    if (begin == std::string_view::npos)
        return {};
    const std::string_view line = text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
    const size_t last = line.find_last_not_of(" \t\r");
    return std::string(line.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

bool wants_tls(const JetStreamSettings& settings) {
    return !settings.authorities.empty() || !settings.certificate.empty() ||
           std::ranges::any_of(settings.servers,
               [](const std::string& server) { return server.starts_with("tls://"); });
}

} // namespace

std::optional<NatsUser> nats_user_in(std::string_view credentials) {
    NatsUser user{.token = block_in(credentials, "BEGIN NATS USER JWT"),
        .seed = block_in(credentials, "BEGIN USER NKEY SEED")};
    if (user.token.empty() || user.seed.empty())
        return std::nullopt;
    return user;
}

NatsOptions::NatsOptions(const JetStreamSettings& settings) : refusal_(fill(settings)) {
    if (!refusal_.empty())
        options_.reset();
}

std::string NatsOptions::fill(const JetStreamSettings& settings) {
    natsOptions* raw = nullptr;
    natsStatus status = natsOptions_Create(&raw);
    options_.reset(raw);
    std::string refusal;
    const auto set = [&](const char* what, natsStatus result) {
        if (status == NATS_OK && result != NATS_OK) {
            const char* const more = nats_GetLastError(nullptr);
            refusal = std::string(what) + ": " + natsStatus_GetText(result) +
                      (more != nullptr && *more != '\0' ? std::string(": ") + more : "");
            status = result;
        }
    };
    if (status != NATS_OK)
        return natsStatus_GetText(status);
    std::vector<const char*> servers;
    for (const std::string& server : settings.servers)
        servers.push_back(server.c_str());
    // Without the library's own words, which would repeat a password.
    if (natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())) != NATS_OK)
        return "one of the servers' addresses cannot be read";
    set("the name", natsOptions_SetName(raw, "chatserv"));
    set("a time limit", natsOptions_SetTimeout(raw, connect_timeout_ms));
    set("an option", natsOptions_SetAllowReconnect(raw, false));
    set("a time limit", natsOptions_SetPingInterval(raw, heartbeat_ms));
    set("an option", natsOptions_SetMaxPingsOut(raw, 2));
    set("a time limit", natsOptions_SetWriteDeadline(raw, write_timeout_ms));
    set("an option", natsOptions_SetSendAsap(raw, true)); // what is published is a batch already
    set("an option", natsOptions_SetErrorHandler(raw, close_after_error, nullptr));
    // Otherwise a server that offers no encryption would be talked to without.
    if (wants_tls(settings))
        set("TLS", natsOptions_SetSecure(raw, true));
    if (!settings.authorities.empty())
        set("the certificates of the servers' authorities",
            natsOptions_SetCATrustedCertificates(raw, settings.authorities.c_str()));
    if (!settings.certificate.empty())
        set("the certificate and its key", natsOptions_SetCertificatesChain(raw,
                                               settings.certificate.c_str(), settings.key.c_str()));
    if (!settings.credentials.empty()) {
        const auto user = nats_user_in(settings.credentials);
        if (!user)
            return "the credentials hold no token (NATS USER JWT) and seed (USER NKEY SEED)";
        user_ = *user;
        set("the credentials", natsOptions_SetUserCredentialsCallbacks(
                                   raw, give_token, &user_, give_signature, &user_));
    }
    return refusal;
}

} // namespace chatserv
