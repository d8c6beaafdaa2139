// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sfgluster-qemu-hook GUEST OPERATION SUBOPERATION EXTRA, as libvirt calls its hook for guests of
// qemu, with the guest's document on standard input. It must not call libvirt, which waits for it.
//
//   migrate begin, restore begin   writes the document with the gluster images in the access of
//   this
//                                  host, nothing where that changes nothing. What cannot be
//                                  rewritten is exit status 1, and nothing of a document.
//   prepare begin                  exit status 1 where the guest cannot start.
//   all else                       does nothing: a failing "reconnect" would kill the guest.
//
// Exit status 1 has a sentence on standard error. At prepare nothing but a refusal has it.
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "driver/core/log.hpp"
#include "hooks/decide/access_choice.hpp"
#include "hooks/decide/start_check.hpp"
#include "hooks/host/read_host.hpp"
#include "hooks/host/standard_streams.hpp"
#include "hooks/rewrite/rewrite.hpp"

namespace {

using namespace sfg;
using namespace sfg::hooks;

// Whether there is anything to look for: nothing is read of the host for guests without.
bool has_candidates(DomainXml& domain) {
    bool found = false;
    const auto outcome = domain.for_each_image([&](pugi::xml_node image, const std::string&) {
        const std::string_view type = image.attribute("type").value();
        const std::string_view protocol = image.child("source").attribute("protocol").value();
        found =
            found || type.empty() || type == "file" || (type == "network" && protocol == "gluster");
        return Result<void>();
    });
    return found || !outcome;
}

// The volumes of this host; without those of a configuration that is refused, since most guests
// have nothing to do with it. `refused` says why then.
Result<KnownVolumes> known_volumes(std::string& refused) {
    auto host = read_host();
    if (host) {
        auto volumes = KnownVolumes::make(*host);
        if (volumes) return volumes;
        refused = std::string(kConfiguration) + ": " + volumes.error().message();
        host->configuration.clear();
        return KnownVolumes::make(*host);
    }
    refused = host.error().message();
    SFG_TRY_ASSIGN(auto without, read_host("/nonexistent"));
    return KnownVolumes::make(without);
}

// The document for this host, or "" where it is right as it is.
Result<std::string> carried_over(const std::string& text, Occasion occasion) {
    SFG_TRY_ASSIGN(auto domain, DomainXml::parse(text));
    if (!has_candidates(domain)) return std::string();
    std::string refused;
    SFG_TRY_ASSIGN(const auto volumes, known_volumes(refused));
    bool on_gluster = false;
    SFG_TRY(for_each_gluster_image(domain, volumes, [&](const FoundImage&) {
        on_gluster = true;
        return Result<void>();
    }));
    if (!on_gluster) return std::string();
    if (!refused.empty()) return Error(ErrorKind::invalid, refused);
    SFG_TRY_ASSIGN(auto choice, AccessChoice::make(domain, volumes, std::nullopt, occasion));
    SFG_TRY_ASSIGN(const auto outcome,
                   rewrite_images(domain, volumes,
                                  [&](const FoundImage& image) { return choice.choose(image); }));
    return outcome.rewritten.empty() ? std::string() : domain.text();
}

// Without a line's end: libvirt puts the words as they are into its own sentence.
int refuse(const std::string& sentence) {
    std::cerr << "sf-gluster: " << sentence << std::flush;
    return 1;
}

int carry_over(const std::string& guest, Occasion occasion) {
    const auto text = carried_over(read_document(), occasion);
    if (!text) return refuse("guest '" + guest + "': " + text.error().message());
    return write_document(*text) ? 0 : 1;
}

int prepare() {
    auto domain = DomainXml::parse(read_document());
    if (!domain || !has_candidates(*domain)) return 0;
    std::string refused;
    const auto volumes = known_volumes(refused);
    if (!volumes) return 0;
    const auto outcome = check_start(*domain, *volumes, own_mountinfo);
    if (outcome || outcome.error().kind() != ErrorKind::unsupported) return 0;
    return refuse(outcome.error().message());
}

int run(std::string_view operation, std::string_view suboperation, const std::string& guest) {
    if (suboperation != "begin") return 0;
    if (operation == "migrate") return carry_over(guest, Occasion::arrives);
    if (operation == "restore") return carry_over(guest, Occasion::stays);
    if (operation == "prepare") return prepare();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    open_standard_streams();
    if (count < 4) return 0;
    const std::string_view operation = words[2];
    try {
        return run(operation, words[3], escaped(words[1]));
    } catch (const std::exception& error) {
        return operation == "migrate" || operation == "restore" ? refuse(error.what()) : 0;
    }
}
