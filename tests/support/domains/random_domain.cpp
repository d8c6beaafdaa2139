// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/domains/random_domain.hpp"

#include <algorithm>

#include "tests/support/domains/gluster_host.hpp"

namespace sfg::test {
namespace {

// Names of files in a volume, as attributes have them.
const std::string kNames[] = {
    "a",
    "vda.qcow2",
    "instances/6f2c/vda",
    "instances/u/../../image_cache/x",
    "./a",
    "a//b",
    "/a",
    "a/",
    "a/.",
    "with space/ and one in front",
    "tab&#9;and&#10;line",
    "return&#13;",
    "it&apos;s",
    "&quot;quoted&quot;",
    "&lt;b&gt; &amp; c",
    "a &amp;amp; b",
    "100%/a%20b%2fc",
    "\xc3\xa4\xc3\xb6/\xe6\x97\xa5\xe6\x9c\xac",
    "a\xcc\x88\xe2\x80\xa8\xf0\x9f\x90\x9c",
    "c1\xc2\x85x\x7f",
    "]]&gt;",
    "to/&gt;",
    "q?x=1;y#z",
    "\\back\\040slash",
    "-dash",
    "other/hidden-in-the-first",
    "x/../other/hidden-in-the-first",
    "otherwise",
    std::string(3000, 'n'),
};

const std::string kBadNames[] = {"", "..", "../a", "a/../..", ".", "a/../../b"};

// Where no image of a known volume is.
const std::string kElsewhere[] = {
    "/srv/sfx/a",  "/srv/sf",         "/srv/sf/", "/srv/sf/..", "/srv//sf/a",
    "/srv/./sf/a", "relative/srv/sf", "",         "/dev/null",  "/mnt/by",
    "/",           "/srv/sf/../sf/a", "srv/sf/a",
};

const std::string kOtherNetwork[] = {
    "protocol='rbd' name='pool/image'",
    "protocol='nbd' name='shakenfist/a' tls='yes' tlsHostname='x'",
    "protocol='iscsi' name='iqn.1992-01.com.example:storage/1'",
    "protocol='https' name='a.iso' query='x=1&amp;y=2'",
    "protocol='nfs' name='shakenfist/a'",
    "protocol='GLUSTER' name='shakenfist/a'",
    "protocol='gluster' name='shakenfist'",
    "protocol='gluster'",
    "name='shakenfist/a'",
};

const std::string kOtherTypes[][2] = {
    {"block", "dev='/srv/sf/a'"},
    {"dir", "dir='/srv/sf/a'"},
    {"volume", "pool='shakenfist' volume='a'"},
    {"volume", "pool='default' volume='vda' mode='host'"},
    {"nvme", "type='pci' managed='yes' namespace='1'"},
    {"vhostuser", "type='unix' path='/srv/sf/a'"},
    {"block", "file='/srv/sf/a'"},
    {"network", "file='/srv/sf/a'"},
    {"", "file='/srv/sf/a'"},
};

}  // namespace

std::string RandomDomains::name() {
    return one_of(kNames);
}

// What may stand between elements and says nothing to libvirt.
std::string RandomDomains::noise(const std::string& indent) {
    static const std::string kNoise[] = {
        "<!--> a <source file='/srv/sf/a'/> & </disk> -->",
        "<![CDATA[ <source/> ] & </disk> ]]>",
        "<?pi of='/srv/sf/a' ?>",
        "text &amp; &lt;more&gt; &#13; here",
        "<x:y xmlns:x='urn:x' x:file='/srv/sf/a'>\n\t</x:y>",
        "<x:source xmlns:x='urn:x' file='/srv/sf/a'/>",
        "\t",
    };
    if (!one_in(12)) return "";
    const std::string& what = one_of(kNoise);
    if (what[0] != '<') as_libvirt_writes_ = false;  // part of the white space around
    return indent + what + "\n";
}

std::string RandomDomains::source_children(const std::string& indent, bool of_network) {
    const std::string in = indent + "  ";
    static const std::string kOfNetwork[] = {
        "<snapshot name='s'/>", "<config file='/etc/ceph.conf'/>",
        "<auth username='u'>\n#  <secret type='ceph' uuid='9b4b9c3a-0c1e-4a0e-8b0e-1c1f0e2b3c4d'/>"
        "\n#</auth>",
        "<cookies>\n#  <cookie name='a'>&quot;x&quot;</cookie>\n#</cookies>"};
    static const std::string kOfAll[] = {
        "<seclabel model='selinux' relabel='no'/>",
        "<encryption format='luks'>\n#  <secret type='passphrase' usage='/srv/sf/a'/>\n"
        "#</encryption>",
        "<reservations managed='no'>\n#  <source type='unix' path='/a' mode='client'/>\n"
        "#</reservations>",
        "<slices>\n#  <slice type='storage' offset='1' size='2'/>\n#</slices>",
        "<privateData>\n#  <nodenames>\n#    <nodename type='storage' name='libvirt-1'/>\n"
        "#  </nodenames>\n#</privateData>",
    };
    std::string children;
    auto add = [&](std::string child) {
        for (std::size_t at = 0; (at = child.find('#', at)) != std::string::npos;)
            child.replace(at, 1, in);
        children += in + child + "\n";
    };
    if (of_network && one_in(6)) add(one_of(kOfNetwork));
    for (unsigned more = one_in(2) ? below(3) : 0; more > 0; --more) add(one_of(kOfAll));
    return children + noise(in);
}

// The <source> of an image, with what has to stand before it, and the type of the image.
std::string RandomDomains::source(const std::string& indent, std::string& type) {
    const HostVolume& volume = one_of(kHostVolumes);
    std::string attributes;
    std::string children;
    bool of_network = false;
    auto add_host = [&](const std::string& host) { children += indent + "  " + host + "\n"; };
    const unsigned kind = below(20);
    if (kind < 7) {
        type = "network";
        of_network = true;
        const std::string directory = volume.directory.empty() ? "" : volume.directory + "/";
        const std::string path = one_in(400) ? one_of(kBadNames) : directory + name();
        attributes = "protocol='gluster' name='" + volume.name + "/" + path + "'";
        if (one_in(20)) attributes += " query='a=1' tls='yes'";
        if (one_in(20)) {
            add_host("<host name='another'/>");
        } else {
            for (const auto& host : volume.hosts) add_host(host);
        }
    } else if (kind < 9) {
        type = "network";
        of_network = true;
        const std::string unknown =
            one_of({"Shakenfist/", "Volume1/", "sha kenfist/", "/shakenfist/"});
        attributes = "protocol='gluster' name='" + unknown + name() + "'";
        add_host("<host name='sf-1' port='24007'/>");
    } else if (kind < 10) {
        type = "network";
        of_network = true;
        attributes = one_of(kOtherNetwork);
        add_host("<host name='sf-1' port='24007'/>");
    } else if (kind < 15) {
        type = "file";
        attributes =
            "file='" + volume.mount_point + "/" + (one_in(50) ? one_of(kBadNames) : name()) + "'";
    } else if (kind < 17) {
        type = "file";
        attributes = "file='" + (one_in(2) ? one_of(kElsewhere) : "/srv/sf2/" + name()) + "'";
    } else {
        const auto& other = one_of(kOtherTypes);
        type = other[0];
        attributes = other[1];
    }
    if (one_in(of_network ? 300 : 8)) attributes += " startupPolicy='optional'";
    if (one_in(of_network ? 300 : 30)) attributes += " fdgroup='g'";
    if (one_in(3)) attributes += " index='" + std::to_string(below(90)) + "'";
    if (one_in(300)) attributes += " xmlns='urn:x'";
    if (of_network && one_in(10)) {  // libvirt takes any order, but writes one
        attributes = "index='7' " + attributes.substr(0, attributes.find(" index="));
        as_libvirt_writes_ = false;
    }
    children += source_children(indent, of_network);
    if (children.empty()) {
        if (one_in(40)) {
            as_libvirt_writes_ = false;
            return indent + "<source " + attributes + "> \n </source>\n";
        }
        return indent + "<source " + attributes + "/>\n";
    }
    if (one_in(40)) {  // all in one line
        as_libvirt_writes_ = false;
        std::string flat;
        for (const char c : children)
            if (c != '\n') flat += c;
        children = flat;
    }
    return indent + "<source " + attributes + ">\n" + children + indent + "</source>\n";
}

// A <disk> or <backingStore>, as libvirt writes it but for noise.
std::string RandomDomains::image(const std::string& tag, const std::string& indent, int chain) {
    const bool is_disk = tag == "disk";
    const std::string in = indent + "  ";
    std::string type;
    std::string sources;
    if (is_disk && one_in(10)) {
        type = one_of({"file", "block", "network"});  // a drive without a medium
    } else {
        sources = source(in, type);
        std::string ignored;
        if (one_in(300)) sources += source(in, ignored);
    }
    std::string text = indent + "<" + tag;
    if (!type.empty() && !(is_disk && type == "file" && one_in(10))) text += " type='" + type + "'";
    if (is_disk && one_in(2)) text += one_of({" device='cdrom'", " device='disk'", " model='x'"});
    if (!is_disk && one_in(2)) text += " index='" + std::to_string(chain) + "'";
    text += ">\n" + noise(in);
    if (is_disk && one_in(2)) text += in + "<driver name='qemu' type='qcow2'/>\n";
    if (!is_disk) text += in + "<format type='" + one_of({"raw", "qcow2"}) + "'/>\n";
    text += sources + noise(in);
    if (chain > 0)
        text += image("backingStore", in, chain - 1);
    else if (one_in(2))
        text += in + "<backingStore/>\n";
    if (is_disk && one_in(20)) text += image("mirror", in, 0);
    if (is_disk) text += in + "<target dev='vd" + std::string(1, "abc"[below(3)]) + "'/>\n";
    if (is_disk && one_in(type == "network" ? 200 : 10)) text += in + "<transient/>\n";
    return text + noise(in) + indent + "</" + tag + ">\n";
}

std::string RandomDomains::disk() {
    return image("disk", "    ", one_in(3) ? static_cast<int>(below(6)) : 0);
}

RandomDocument RandomDomains::next(const std::string& seed) {
    as_libvirt_writes_ = true;
    std::string text = seed;
    const std::string begin = "    <disk ";
    const std::string end = "    </disk>\n";
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
        const std::size_t after = text.find(end, at);
        if (after == std::string::npos) break;
        if (one_in(3)) {
            at = after;
            continue;
        }
        const std::string other = disk();
        text.replace(at, after + end.size() - at, other);
        at += other.size();
    }
    std::string more;
    for (unsigned count = below(4); count > 0; --count) more += disk();
    const auto last = text.rfind("</devices>");
    if (last != std::string::npos)
        text.insert(text.rfind('\n', last) + 1, more);
    else if (const auto root = text.rfind("</domain>"); root != std::string::npos)
        text.insert(root, "  <devices>\n" + more + "  </devices>\n");
    if (!one_in(3)) return {text, as_libvirt_writes_};
    return {spelled_otherwise(text), false};
}

// Some letters as references, and a '>' as it may stand.
std::string RandomDomains::letters_otherwise(const std::string& text) {
    std::string out;
    bool in_reference = false;
    std::string raw = text;
    for (std::size_t at = 0; one_in(2) && (at = raw.find("&gt;", at)) != std::string::npos;)
        if (at < 2 || raw.substr(at - 2, 2) != "]]") raw.replace(at, 4, ">");
    for (const char c : raw) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == '&') in_reference = true;
        if (!in_reference && letter && one_in(20))
            out += "&#" + std::to_string(static_cast<int>(c)) + ";";
        else
            out += c;
        if (c == ';') in_reference = false;
    }
    return out;
}

// `tag` is a start tag or an empty one, with its "<" and ">".
std::string RandomDomains::tag_otherwise(const std::string& tag) {
    static const std::string kBlanks[] = {" ", "  ", "\n      ", "\t", "\r\n "};
    const bool empty = tag.ends_with("/>");
    const std::string inside = tag.substr(1, tag.size() - (empty ? 3 : 2));
    const std::string element = inside.substr(0, inside.find_first_of(" \t\r\n"));
    std::string out = "<" + element;
    for (std::size_t at = element.size();;) {
        at = inside.find_first_not_of(" \t\r\n", at);
        if (at == std::string::npos) break;
        const auto open = inside.find_first_of("'\"", at);
        const auto close = inside.find(inside[open], open + 1);
        const std::string value = inside.substr(open + 1, close - open - 1);
        const char other = inside[open] == '"' ? '\'' : '"';
        const char quote =
            one_in(2) && value.find(other) == std::string::npos ? other : inside[open];
        out += one_of(kBlanks) + inside.substr(at, open - at);
        if (one_in(8)) out += one_of(kBlanks);
        out += quote + (one_in(2) ? letters_otherwise(value) : value) + quote;
        at = close + 1;
    }
    if (one_in(4)) out += one_of(kBlanks);
    if (!empty) return out + ">";
    return one_in(3) ? out + "></" + element + ">" : out + "/>";
}

std::string RandomDomains::spelled_otherwise(const std::string& text) {
    std::string out;
    const bool return_too = one_in(3);
    for (std::size_t at = 0; at < text.size();) {
        auto end = text.size();
        auto until = [&](const std::string& mark) {
            const auto found = text.find(mark, at);
            if (found != std::string::npos) end = found + mark.size();
        };
        const std::string_view rest = std::string_view(text).substr(at);
        if (rest.starts_with("<!--")) {
            until("-->");
            out += text.substr(at, end - at);
        } else if (rest.starts_with("<![CDATA[")) {
            until("]]>");
            out += text.substr(at, end - at);
        } else if (rest.starts_with("<?")) {
            until("?>");
            out += text.substr(at, end - at);
        } else if (rest.starts_with("</")) {
            until(">");
            out += text.substr(at, end - at);
            if (one_in(20)) out.insert(out.size() - 1, " ");
        } else if (rest.starts_with("<")) {
            char quote = 0;
            for (end = at; quote != 0 || text[end] != '>'; ++end) {
                if (quote == text[end])
                    quote = 0;
                else if (quote == 0 && (text[end] == '\'' || text[end] == '"'))
                    quote = text[end];
            }
            ++end;
            const std::string tag = text.substr(at, end - at);
            out += one_in(2) ? tag_otherwise(tag) : tag;
        } else {
            end = std::min(text.find('<', at), text.size());
            out += letters_otherwise(text.substr(at, end - at));
        }
        at = end;
    }
    if (return_too) {
        std::string lines;
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (out[i] == '\n' && (i == 0 || out[i - 1] != '\r')) lines += '\r';
            lines += out[i];
        }
        out = lines;
    }
    if (one_in(4) && !out.starts_with("<?xml"))
        out.insert(0, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    if (one_in(10)) out.insert(0, "\xef\xbb\xbf");
    if (one_in(4)) out += "<!-- behind -->\n";
    return out;
}

}  // namespace sfg::test
