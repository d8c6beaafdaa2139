// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libxml/tree.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sfg::test {

// An image as rewriting gives it: what its type and its <source> say of where it is.
struct ImagePlace {
    std::string type;
    std::string file;
    std::string protocol;
    std::string name;
    std::vector<std::string> hosts;  // "<host name='a' port='1'/>", attributes as they stand
    std::vector<std::string> more;   // what else says which image, or how to reach it

    bool operator==(const ImagePlace&) const = default;
};

// A domain document as libxml2 reads it, and what rewriting on the host of gluster_host.hpp has to
// make of it. Shares no code with what is tested.
class DomainImages {
  public:
    // Null where `text` is not well-formed.
    static std::optional<DomainImages> read(const std::string& text);

    // Of all images that have a <source>, disk by disk, down each chain.
    std::vector<ImagePlace> places() const;

    // Where each image has to be afterwards; nothing for those that stay as they are.
    using Expected = std::vector<std::optional<ImagePlace>>;
    // Nothing if the document has to be refused.
    std::optional<Expected> as_files() const;
    std::optional<Expected> as_network() const;

    // Whether to files and then to network gives what to network alone does: the network disks have
    // the hosts that the host's configuration has, and nothing that a file cannot have.
    bool comes_back() const;

    // All that is in the document, for comparisons; without what names the images for which
    // `without` has a value.
    std::string dump(const Expected& without) const;
    // The same with all, but for white space in sources and the order of attributes.
    std::string dump_meaning() const;

  private:
    using Document = std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)>;
    explicit DomainImages(Document document) : document_(std::move(document)) {}

    Document document_;
    std::vector<xmlNode*> images_;
    bool refused_ = false;  // elements that libvirt may see otherwise
};

}  // namespace sfg::test
