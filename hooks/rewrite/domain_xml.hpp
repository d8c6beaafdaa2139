// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "driver/core/result.hpp"
#include "hooks/rewrite/access.hpp"

namespace sfg::hooks {

inline constexpr char kMetadataNamespace[] = "https://shakenfist.com/sf-gluster";

// A libvirt domain document. Disks that are changed are written as libvirt writes them, white space
// between elements, comments and processing instructions as they were; all else byte for byte.
class DomainXml {
  public:
    static constexpr std::size_t kLargest = std::size_t{16} << 20;  // bytes
    static constexpr int kDeepest = 200;                            // elements; libxml2 has 256
    static constexpr int kMostImages = 4096;

    // ErrorKind::invalid, with a sentence, for what is not well-formed as libxml2 has it, larger or
    // deeper than the above, has a document type (and may so have entities), is said to be in
    // another encoding than UTF-8, or has another root than <domain>.
    static Result<DomainXml> parse(std::string_view text);

    std::string text() const;

    // Calls `work` with each <disk> and each <backingStore> below it that has a <source>, and the
    // disk's target ("vda"; "" where there is none), until it returns an error. ErrorKind::invalid
    // for more than kMostImages, and for elements of which libvirt may see others than we do.
    Result<void> for_each_image(
        const std::function<Result<void>(pugi::xml_node image, const std::string& disk)>& work);

    // The guest's <name>; "" where there is none.
    std::string name() const;

    // The program that runs the guest: <emulator>, else the one that libvirt takes for the
    // architecture (qemu_capabilities.c); "" for guests that are not of qemu.
    std::string emulator() const;

    // What the guest itself asks for, in <metadata>:
    //   <sfg:access xmlns:sfg='https://shakenfist.com/sf-gluster'>file</sfg:access>
    // Nothing where it does not, or says "auto". ErrorKind::invalid for other words.
    Result<std::optional<Access>> own_access() const;

  private:
    struct Disk {
        pugi::xml_node node;
        std::size_t begin, end;  // in original_, bytes
        std::string as_read;     // xml_text of it, before anything was changed
    };

    Result<void> find_disks();

    std::string original_;
    // On the heap: pugixml's documents do not move.
    std::unique_ptr<pugi::xml_document> document_ = std::make_unique<pugi::xml_document>();
    std::vector<Disk> disks_;
};

}  // namespace sfg::hooks
