#include "bridge/engine/nats_session.h"

#include "bridge/engine/nats_options.h"
#include "bridge/engine/server_version.h"

#include <array>
#include <chrono>
#include <limits>

namespace chatserv {
namespace {

constexpr int64_t answer_timeout_ms = 2000;
constexpr int64_t ns_per_ms = 1'000'000;
constexpr std::chrono::milliseconds version_timeout{500};

// What went wrong, in the library's words.
std::string words_of(natsStatus status) {
    std::string words = natsStatus_GetText(status);
    if (const char* more = nats_GetLastError(nullptr); more != nullptr && *more != '\0')
        words += std::string(": ") + more;
    return words;
}

} // namespace

NatsSession::~NatsSession() {
    close();
}

void NatsSession::close() {
    if (connection_)
        natsConnection_Close(connection_.get());
}

NatsSession::Opened NatsSession::open(const StreamPlace& place) {
    if (const std::string trouble = connect(); !trouble.empty())
        return {.state = LinkState::connecting, .trouble = trouble};
    Opened found = find_stream(place.create);
    if (found.state != LinkState::delivering)
        return found;
    if (const natsStatus status = subscribe(place.from); status != NATS_OK)
        return {.state = LinkState::waiting, .trouble = words_of(status)};
    found.version = version();
    return found;
}

// Empty, or what is wrong.
std::string NatsSession::connect() {
    const NatsOptions options(settings_);
    if (options.get() == nullptr)
        return options.refusal();
    natsConnection* connection = nullptr;
    natsStatus status = natsConnection_Connect(&connection, options.get());
    connection_.reset(connection);
    jsOptions js_options;
    if (status == NATS_OK)
        status = jsOptions_Init(&js_options);
    js_options.Wait = answer_timeout_ms;
    jsCtx* context = nullptr;
    if (status == NATS_OK)
        status = natsConnection_JetStream(&context, connection, &js_options);
    context_.reset(context);
    return status == NATS_OK ? "" : words_of(status);
}

std::string NatsSession::version() const {
    std::array<char, 1024> url{};
    if (natsConnection_GetConnectedUrl(connection_.get(), url.data(), url.size()) != NATS_OK)
        return {};
    return version_said_at(url.data(), version_timeout).value_or("");
}

NatsSession::Opened NatsSession::find_stream(bool create) {
    jsStreamInfo* info = nullptr;
    jsErrCode error{};
    natsStatus status = js_GetStreamInfo(&info, context_.get(), stream().c_str(), nullptr, &error);
    jsStreamInfo_Destroy(info);
    if (error == JSStreamNotFoundErr) {
        if (!create)
            return {.state = LinkState::absent, .trouble = "there is no stream " + stream()};
        status = create_stream(error);
    }
    if (status != NATS_OK)
        return {.state = LinkState::waiting, .trouble = words_of(status)};
    return {.state = LinkState::delivering};
}

natsStatus NatsSession::create_stream(jsErrCode& error) {
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const std::string name = stream();
    const std::string subject_of_room = subject();
    std::array<const char*, 1> subjects{subject_of_room.c_str()};
    config.Name = name.c_str();
    config.Subjects = subjects.data();
    config.SubjectsLen = 1;
    config.MaxBytes = static_cast<int64_t>(settings_.bytes_max);
    config.Storage = settings_.in_memory ? js_MemoryStorage : js_FileStorage;
    config.Replicas = settings_.replicas;
    config.DenyDelete = true; // a hole in the stream would end the room
    error = jsErrCode{};
    jsStreamInfo* info = nullptr;
    const natsStatus status = js_AddStream(&info, context_.get(), &config, nullptr, &error);
    jsStreamInfo_Destroy(info);
    // Another host may have created it at the same time, with other settings.
    return error == JSStreamNameExistErr ? NATS_OK : status;
}

natsStatus NatsSession::subscribe(uint64_t from) {
    jsSubOptions options;
    jsSubOptions_Init(&options);
    const std::string name = stream();
    options.Stream = name.c_str();
    options.Config.DeliverPolicy = from == 0 ? js_DeliverNew : js_DeliverByStartSequence;
    options.Config.OptStartSeq = from;
    options.Config.AckPolicy = js_AckNone;
    options.Config.FlowControl = true;
    options.Config.Heartbeat = NatsOptions::heartbeat_ms * ns_per_ms;
    options.Config.Replicas = 1;
    options.Config.MemoryStorage = true;
    natsSubscription* subscription = nullptr;
    const natsStatus status = js_SubscribeSync(
        &subscription, context_.get(), subject().c_str(), nullptr, &options, nullptr);
    subscription_.reset(subscription);
    return status;
}

std::optional<Delivery> NatsSession::next() {
    natsMsg* message = nullptr;
    natsStatus status = NATS_TIMEOUT;
    // Heartbeats and pings notice a server that is silent.
    while (status == NATS_TIMEOUT)
        status = natsSubscription_NextMsg(
            &message, subscription_.get(), std::numeric_limits<int32_t>::max());
    if (status != NATS_OK) {
        trouble_ = natsStatus_GetText(status);
        return std::nullopt;
    }
    const Owned<natsMsg> owned(message);
    jsMsgMetaData* about = nullptr;
    status = natsMsg_GetMetaData(&about, message);
    if (status != NATS_OK) {
        trouble_ = "a message without a number";
        return std::nullopt;
    }
    const Owned<jsMsgMetaData> owned_about(about);
    return Delivery{.number = about->Sequence.Stream,
        .message = std::string(
            natsMsg_GetData(message), static_cast<size_t>(natsMsg_GetDataLength(message)))};
}

void NatsSession::publish(const std::string& message) {
    const natsStatus status = natsConnection_Publish(
        connection_.get(), subject().c_str(), message.data(), static_cast<int>(message.size()));
    if (status != NATS_OK)
        natsConnection_Close(connection_.get());
}

} // namespace chatserv
