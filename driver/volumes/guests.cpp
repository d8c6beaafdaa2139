// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/guests.hpp"

#include <libxml/parser.h>
#include <libxml/xpath.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/links.hpp"

namespace sfg {
namespace {

GuestLister& current_lister() {
    static auto* const lister = new GuestLister;  // never destroyed: threads may outlive main
    return *lister;
}

struct Guest {
    bool paused;
    std::string xml;
};

// libvirt's pool may be locked here, and a guest that is being started may wait for that pool with
// its own lock held, for which who asks for its XML waits: so nobody waits for the answer for long.
std::optional<std::vector<Guest>> guests_of_this_host() {
    constexpr std::chrono::seconds kPatience{3};
    struct Asked {
        std::mutex mutex;
        std::condition_variable answered;
        std::vector<Guest> guests;
        bool done = false;
        bool told = false;
    };
    const GuestLister lister = current_lister();
    if (!lister) return std::nullopt;
    const auto asked = std::make_shared<Asked>();
    try {
        std::thread([asked, lister] {
            std::vector<Guest> guests;
            const bool told = lister([&](bool paused, const std::string& xml) {
                guests.push_back({paused, xml});
            });
            const std::lock_guard held(asked->mutex);
            asked->guests = std::move(guests);
            asked->told = told;
            asked->done = true;
            asked->answered.notify_all();
        }).detach();
    } catch (const std::system_error&) {
        return std::nullopt;
    }
    std::unique_lock held(asked->mutex);
    if (!asked->answered.wait_for(held, kPatience, [&] { return asked->done; }) || !asked->told)
        return std::nullopt;
    return std::move(asked->guests);
}

// The files of this host that a guest may write to.
std::vector<std::string> written_by(const std::string& xml) {
    std::vector<std::string> files;
    const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
        xmlReadMemory(xml.data(), static_cast<int>(xml.size()), nullptr, nullptr,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
        &xmlFreeDoc);
    if (!document) return files;
    const std::unique_ptr<xmlXPathContext, decltype(&xmlXPathFreeContext)> context(
        xmlXPathNewContext(document.get()), &xmlXPathFreeContext);
    if (!context) return files;
    constexpr char kSources[] =
        "/domain/devices/disk[not(readonly)]/source/@file | "
        "/domain/devices/disk[not(readonly)]/mirror/source/@file";
    const std::unique_ptr<xmlXPathObject, decltype(&xmlXPathFreeObject)> found(
        xmlXPathEvalExpression(reinterpret_cast<const xmlChar*>(kSources), context.get()),
        &xmlXPathFreeObject);
    if (!found || found->nodesetval == nullptr) return files;
    for (int i = 0; i < found->nodesetval->nodeNr; ++i) {
        const std::unique_ptr<xmlChar, decltype(xmlFree)> text(
            xmlNodeGetContent(found->nodesetval->nodeTab[i]), xmlFree);
        if (text) files.emplace_back(reinterpret_cast<const char*>(text.get()));
    }
    return files;
}

bool is_file_at(const std::string& path, const Place& place, const Gfid& gfid) {
    const auto fuse = fuse_path(path);
    if (!fuse || fuse->volume != place.connection->volume()) return false;
    if (fuse->path == place.path) return true;
    const auto found = follow_links(place.connection, fuse->path);
    return found && found->object.gfid() == gfid;
}

// Whether those of this host that write to it are all paused, and there are such.
bool only_paused_ones(const Place& place) {
    const auto file = follow_links(place.connection, place.path);
    if (!file) return false;
    const auto guests = guests_of_this_host();
    if (!guests) return false;
    bool paused = false;
    for (const auto& guest : *guests)
        for (const auto& path : written_by(guest.xml)) {
            if (!is_file_at(path, place, file->object.gfid())) continue;
            // A block job goes on in a guest that is paused.
            if (!guest.paused || guest.xml.find("<mirror") != std::string::npos) return false;
            paused = true;
        }
    return paused;
}

}  // namespace

void set_guest_lister(GuestLister lister) {
    current_lister() = std::move(lister);
}

Result<void> check_copyable(UsedFile& used, const Place& place, bool may_be_torn,
                            const std::string& who) {
    if (may_be_torn && settings().copies_of_running) {
        SFG_TRY_ASSIGN(const bool written, is_written_by_guests(used));
        if (written)
            log_warning(
                who + " is copied while a guest writes to it: the copy is of no one point in time");
        return {};
    }
    const auto kept = keep_guests_from_writing(used);
    if (kept || kept.error().kind() != ErrorKind::busy) return kept;
    if (only_paused_ones(place)) return {};
    return Error(
        ErrorKind::busy, EBUSY,
        kept.error().message() +
            ", and a copy of it would be of no one point in time: take one by virsh backup-begin "
            "or "
            "virsh blockcopy, make a snapshot (virsh snapshot-create-as --disk-only) and copy the "
            "base under it, or suspend the guest meanwhile" +
            (may_be_torn ? " (copies-of-running=warn in /etc/libvirt/sf-gluster.conf lets it be)"
                         : ""));
}

}  // namespace sfg
