// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/command/domains.hpp"

#include <libvirt/virterror.h>

#include <cstdlib>
#include <string_view>

#include "driver/core/log.hpp"

namespace sfg::command {
namespace {

Error last_error(const std::string& doing) {
    const auto* const error = virGetLastError();
    const std::string why =
        error != nullptr && error->message != nullptr ? error->message : "unknown error";
    return Error(ErrorKind::io, doing + ": " + why);
}

struct Free {
    void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
using Domain = std::unique_ptr<virDomain, Free>;

Result<Domain> find(virConnectPtr connection, const std::string& guest) {
    Domain domain(virDomainLookupByName(connection, guest.c_str()));
    if (!domain) domain.reset(virDomainLookupByUUIDString(connection, guest.c_str()));
    const auto* const error = virGetLastError();
    if (!domain && error != nullptr &&
        (error->code == VIR_ERR_NO_DOMAIN || error->code == VIR_ERR_INVALID_ARG))
        return Error(ErrorKind::not_found, "there is no guest of that name or UUID");
    if (!domain) return last_error("guest '" + escaped(guest) + "'");
    return domain;
}

// The errors are returned; libvirt would print them as well.
void keep_quiet(void*, virErrorPtr) {}

}  // namespace

Result<Libvirt> Libvirt::open(const std::string& uri) {
    virSetErrorFunc(nullptr, keep_quiet);
    const auto connection = virConnectOpen(uri.empty() ? nullptr : uri.c_str());
    if (connection == nullptr) return last_error("cannot connect to libvirt");
    Libvirt libvirt(connection);
    // Mounts, emulators and the configuration are looked at here.
    const std::string text = libvirt.uri();
    const auto authority = text.find("://");
    if (authority != std::string_view::npos && text.substr(authority + 3, 1) != "/")
        return Error(ErrorKind::unsupported,
                     "'" + escaped(text) +
                         "' is on another host, and what suits a guest is decided by the mounts "
                         "and emulators of this one: run sf-gluster there");
    return libvirt;
}

std::string Libvirt::uri() const {
    const std::unique_ptr<char, decltype(&std::free)> used(virConnectGetURI(connection_.get()),
                                                           &std::free);
    return used ? used.get() : "";
}

Result<std::vector<std::string>> Libvirt::persistent_guests() const {
    virDomainPtr* domains = nullptr;
    const int count =
        virConnectListAllDomains(connection_.get(), &domains, VIR_CONNECT_LIST_DOMAINS_PERSISTENT);
    if (count < 0) return last_error("cannot list the guests");
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
        const Domain domain(domains[i]);
        names.emplace_back(virDomainGetName(domain.get()));
    }
    std::free(domains);
    return names;
}

Result<std::string> Libvirt::definition(const std::string& guest) const {
    SFG_TRY_ASSIGN(const auto domain, find(connection_.get(), guest));
    if (virDomainIsPersistent(domain.get()) == 0)
        return Error(ErrorKind::unsupported,
                     "guest '" + escaped(guest) +
                         "' has no definition that outlives it (it is transient): whoever starts "
                         "it has to give another document, see sf-gluster rewrite");
    const std::unique_ptr<char, decltype(&std::free)> text(
        virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE),
        &std::free);
    if (!text) return last_error("guest '" + escaped(guest) + "'");
    return std::string(text.get());
}

Result<void> Libvirt::define(const std::string& document) const {
    const Domain domain(virDomainDefineXMLFlags(connection_.get(), document.c_str(), 0));
    if (!domain) return last_error("libvirt does not take the new definition");
    return {};
}

Result<bool> Libvirt::is_running(const std::string& guest) const {
    SFG_TRY_ASSIGN(const auto domain, find(connection_.get(), guest));
    return virDomainIsActive(domain.get()) == 1;
}

}  // namespace sfg::command
