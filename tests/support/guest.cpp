// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/guest.hpp"

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/support/xml_text.hpp"

namespace sfg::test {
namespace {

constexpr char kNamespace[] = "http://libvirt.org/schemas/domain/qemu/1.0";
constexpr std::chrono::seconds kJobLimit{60};

Refusal refusal_of_call(int returned) {
    return returned < 0 ? last_refusal() : Refusal();
}

}  // namespace

std::string DiskSpec::xml() const {
    return "<disk type='" + type + "' device='disk'><driver name='qemu' type='" + format +
           "' cache='none'/>" + source + backing + "<target dev='" + target + "' bus='" + bus +
           "'/></disk>";
}

DiskSpec network_disk(const std::string& volume, const std::string& path,
                      const std::vector<std::string>& hosts) {
    std::string source =
        "<source protocol='gluster' name='" + xml_escaped(volume + "/" + path) + "'>";
    for (const auto& host : hosts) {
        if (host.starts_with('/')) {
            source += "<host transport='unix' socket='" + host + "'/>";
            continue;
        }
        const auto colon = host.find(':');
        source += "<host name='" + host.substr(0, colon) + "'";
        if (colon != std::string::npos) source += " port='" + host.substr(colon + 1) + "'";
        source += "/>";
    }
    return {"network", source + "</source>"};
}

DiskSpec file_disk(const std::string& path) {
    return {"file", "<source file='" + xml_escaped(path) + "'/>"};
}

std::string GuestSpec::xml() const {
    std::string text = std::string("<domain type='qemu' xmlns:qemu='") + kNamespace + "'><name>" +
                       xml_escaped(name) +
                       "</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type>"
                       "</os><devices>";
    for (const auto& disk : disks) text += disk.xml();
    text += "</devices>";
    if (!environment.empty()) {
        text += "<qemu:commandline>";
        for (const auto& [variable, value] : environment)
            text += "<qemu:env name='" + variable + "' value='" + xml_escaped(value) + "'/>";
        text += "</qemu:commandline>";
    }
    return text + "</domain>";
}

GuestSpec quick_guest(Lab& lab, const std::string& name, std::vector<DiskSpec> disks, int host) {
    return {name, std::move(disks), {{"LD_PRELOAD", lab.quick_close(host)}}};
}

Answer<Guest> Guest::answer(virDomainPtr domain) {
    Answer<Guest> answer;
    if (domain == nullptr)
        answer.refusal = last_refusal();
    else
        answer.value.emplace(Guest(domain));
    return answer;
}

Answer<Guest> Guest::start(const Client& client, const GuestSpec& spec) {
    return start_document(client, spec.xml());
}

Answer<Guest> Guest::start_document(const Client& client, const std::string& xml) {
    return answer(virDomainCreateXML(client.get(), xml.c_str(), 0));
}

Answer<Guest> Guest::find(const Client& client, const std::string& name) {
    return answer(virDomainLookupByName(client.get(), name.c_str()));
}

Guest::~Guest() {
    if (domain_ == nullptr) return;
    if (is_running()) virDomainDestroy(domain_);
    virDomainFree(domain_);
}

bool Guest::is_running() const {
    return virDomainIsActive(domain_) == 1;
}

std::string Guest::xml() const {
    char* const text = virDomainGetXMLDesc(domain_, 0);
    const std::string found = text != nullptr ? text : "";
    std::free(text);
    return found;
}

Refusal Guest::destroy() {
    return refusal_of_call(virDomainDestroy(domain_));
}

Answer<virDomainBlockInfo> Guest::disk_info(const std::string& target) const {
    virDomainBlockInfo info{};
    Answer<virDomainBlockInfo> answer;
    if (virDomainGetBlockInfo(domain_, target.c_str(), &info, 0) < 0)
        answer.refusal = last_refusal();
    else
        answer.value = info;
    return answer;
}

Refusal Guest::snapshot(const std::string& target, const std::string& source_xml, unsigned flags) {
    const std::string type = source_xml.find("protocol=") != std::string::npos ? "network" : "file";
    const std::string xml = "<domainsnapshot><disks><disk name='" + target +
                            "' snapshot='external' type='" + type + "'><driver type='qcow2'/>" +
                            source_xml + "</disk></disks></domainsnapshot>";
    const virDomainSnapshotPtr made = virDomainSnapshotCreateXML(
        domain_, xml.c_str(),
        VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | flags);
    if (made == nullptr) return last_refusal();
    virDomainSnapshotFree(made);
    return {};
}

Refusal Guest::commit(const std::string& target, unsigned flags) {
    return refusal_of_call(
        virDomainBlockCommit(domain_, target.c_str(), nullptr, nullptr, 0, flags));
}

Refusal Guest::commit_from(const std::string& target, const std::string& top) {
    return refusal_of_call(
        virDomainBlockCommit(domain_, target.c_str(), nullptr, top.c_str(), 0, 0));
}

Refusal Guest::pull(const std::string& target) {
    return refusal_of_call(virDomainBlockPull(domain_, target.c_str(), 0, 0));
}

Refusal Guest::copy(const std::string& target, const DiskSpec& to, unsigned flags) {
    DiskSpec disk = to;
    disk.target = target;
    return refusal_of_call(
        virDomainBlockCopy(domain_, target.c_str(), disk.xml().c_str(), nullptr, 0, flags));
}

Refusal Guest::finish_job(const std::string& target, int flags) {
    const auto deadline = std::chrono::steady_clock::now() + kJobLimit;
    for (;;) {
        virDomainBlockJobInfo info{};
        const int found = virDomainGetBlockJobInfo(domain_, target.c_str(), &info, 0);
        if (found < 0) return last_refusal();
        if (found == 0) return {};
        if (flags >= 0 && info.cur == info.end && info.end > 0) {
            if (virDomainBlockJobAbort(domain_, target.c_str(), static_cast<unsigned>(flags)) == 0)
                flags = -1;
        }
        if (std::chrono::steady_clock::now() > deadline)
            return {VIR_ERR_OPERATION_TIMEOUT, "the block job does not end"};
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

Refusal Guest::attach(const DiskSpec& disk) {
    return refusal_of_call(virDomainAttachDevice(domain_, disk.xml().c_str()));
}

Refusal Guest::detach(const DiskSpec& disk) {
    return refusal_of_call(virDomainDetachDevice(domain_, disk.xml().c_str()));
}

std::vector<std::string> Guest::chain(const std::string& target) const {
    return chain_in(xml(), target);
}

std::vector<std::string> chain_in(const std::string& xml, const std::string& target) {
    const XmlText document(xml);
    std::string at = "/domain/devices/disk[target/@dev='" + target + "']";
    std::vector<std::string> paths;
    while (document.has(at + "/source")) {
        const std::string name = document.at(at + "/source/@name");
        // libvirt keeps the ".." of relative names.
        paths.push_back(
            std::filesystem::path(name.empty() ? document.at(at + "/source/@file") : name)
                .lexically_normal());
        at += "/backingStore";
    }
    return paths;
}

}  // namespace sfg::test
