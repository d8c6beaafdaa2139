// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/persistent_guest.hpp"

#include <cstdlib>
#include <cstring>

#include "tests/support/guest.hpp"
#include "tests/support/lab.hpp"

namespace sfg::test {
namespace {

Refusal refusal_of_call(int returned) {
    return returned < 0 ? last_refusal() : Refusal();
}

Answer<virDomainPtr> as_answer(virDomainPtr domain) {
    Answer<virDomainPtr> answer;
    if (domain == nullptr)
        answer.refusal = last_refusal();
    else
        answer.value = domain;
    return answer;
}

}  // namespace

std::string stamping_boot_sector() {
    // xor ax, ax; mov ds, ax; rdtsc; mov [0x8000], eax; mov [0x8004], edx; hlt; jmp to the hlt
    static constexpr unsigned char kCode[] = {0x31, 0xc0, 0x8e, 0xd8, 0x0f, 0x31, 0x66, 0xa3, 0x00,
                                              0x80, 0x66, 0x89, 0x16, 0x04, 0x80, 0xf4, 0xeb, 0xfd};
    std::string sector(512, '\0');
    std::memcpy(sector.data(), kCode, sizeof kCode);
    sector[510] = '\x55';
    sector[511] = '\xaa';
    return sector;
}

Answer<PersistentGuest> PersistentGuest::define(const Client& client, const std::string& xml) {
    const auto domain = as_answer(virDomainDefineXML(client.get(), xml.c_str()));
    Answer<PersistentGuest> answer;
    answer.refusal = domain.refusal;
    if (domain.value) answer.value.emplace(PersistentGuest(*domain.value));
    return answer;
}

Answer<PersistentGuest> PersistentGuest::find(const Client& client, const std::string& name) {
    const auto domain = as_answer(virDomainLookupByName(client.get(), name.c_str()));
    Answer<PersistentGuest> answer;
    answer.refusal = domain.refusal;
    if (domain.value) answer.value.emplace(PersistentGuest(*domain.value));
    return answer;
}

PersistentGuest::~PersistentGuest() {
    if (domain_ == nullptr) return;
    if (is_running()) virDomainDestroy(domain_);
    virDomainUndefineFlags(domain_, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE);
    virDomainFree(domain_);
}

Refusal PersistentGuest::start() {
    return refusal_of_call(virDomainCreate(domain_));
}

Refusal PersistentGuest::managed_save() {
    return refusal_of_call(virDomainManagedSave(domain_, 0));
}

Refusal PersistentGuest::destroy() {
    return refusal_of_call(virDomainDestroy(domain_));
}

bool PersistentGuest::is_running() const {
    return virDomainIsActive(domain_) == 1;
}

std::string PersistentGuest::xml(unsigned flags) const {
    char* const text = virDomainGetXMLDesc(domain_, flags);
    const std::string found = text != nullptr ? text : "";
    std::free(text);
    return found;
}

std::vector<std::string> PersistentGuest::chain(bool inactive) const {
    return chain_in(xml(inactive ? VIR_DOMAIN_XML_INACTIVE : 0), "vda");
}

std::uint64_t PersistentGuest::stamp(std::chrono::seconds limit) const {
    std::uint64_t found = 0;
    comes_true(
        [&] {
            return virDomainMemoryPeek(domain_, kStampAddress, sizeof found, &found,
                                       VIR_MEMORY_PHYSICAL) == 0 &&
                   found != 0;
        },
        limit);
    return found;
}

Refusal PersistentGuest::migrate(const Client& to, const std::string& address) {
    const std::string uri = "tcp://" + address;
    virTypedParameterPtr parameters = nullptr;
    int count = 0, room = 0;
    virTypedParamsAddString(&parameters, &count, &room, VIR_MIGRATE_PARAM_URI, uri.c_str());
    const virDomainPtr moved = virDomainMigrate3(
        domain_, to.get(), parameters, static_cast<unsigned>(count),
        VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE);
    virTypedParamsFree(parameters, count);
    if (moved == nullptr) return last_refusal();
    virDomainFree(domain_);
    domain_ = moved;
    return {};
}

}  // namespace sfg::test
