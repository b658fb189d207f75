#include "master/config/proxy_terms.h"

#include "shared/system/failure.h"

#include <fmt/core.h>
#include <sysexits.h>

namespace chatserv {

ProxyTerms proxy_terms_of(const Options& options) {
    return {.trust = options.proxy_trust, .time_limit = options.proxy_timeout};
}

void check_proxies(const Options& options) {
    if (!options.proxy_trust.empty())
        return;
    for (const ListenAddress& listen : options.listen)
        if (listen.proxied && listen.host != ListenAddress::Host::local)
            throw Failure(EX_USAGE,
                fmt::format("--listen {} needs --proxy-trust: name the networks of the proxies "
                            "that connect there, for example 127.0.0.1",
                    listen.text()));
}

} // namespace chatserv
