// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The documents of xml-templates/, as libvirt's own RelaxNG schemas have them.
#include <gtest/gtest.h>
#include <libxml/relaxng.h>

#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <pugixml.hpp>
#include <set>
#include <sstream>

#include "hooks/templates/documents.hpp"

namespace sfg::hooks {
namespace {

namespace fs = std::filesystem;

const std::string kUuid = "3f0c5a86-7c1e-4b0f-9a52-1d3b7c9e2f10";
const std::string kInstance = "instances/" + kUuid + "/vda";
const std::string kCached = "image_cache/9f86d081884c7d65.v001";
const fs::path kTemplates = SFG_SOURCE_DIR "/xml-templates";

std::set<std::string>& files_read() {
    static std::set<std::string> files;
    return files;
}

Result<std::string> read(const std::string& file) {
    files_read().insert(file);
    std::ifstream stream(kTemplates / file);
    EXPECT_TRUE(stream) << file;
    return std::string{std::istreambuf_iterator<char>(stream), {}};
}

std::string made(Document document, const TemplateRequest& request) {
    const auto text = make_document(document, request, read);
    EXPECT_TRUE(text) << text.error().message();
    return text ? *text : "";
}

std::string refused(Document document, const TemplateRequest& request) {
    const auto text = make_document(document, request, read);
    EXPECT_FALSE(text) << *text;
    if (text) return "";
    EXPECT_EQ(text.error().kind(), ErrorKind::invalid);
    return text.error().message();
}

void collect(void* objections, const char* format, ...) {
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    *static_cast<std::string*>(objections) += line;
}

// libvirt's schemas, each parsed once.
xmlRelaxNG* schema(const std::string& name) {
    using Schema = std::unique_ptr<xmlRelaxNG, decltype(&xmlRelaxNGFree)>;
    static std::map<std::string, Schema> schemas;
    const auto known = schemas.find(name);
    if (known != schemas.end()) return known->second.get();
    const std::string path = "/usr/share/libvirt/schemas/" + name + ".rng";
    const std::unique_ptr<xmlRelaxNGParserCtxt, decltype(&xmlRelaxNGFreeParserCtxt)> parser(
        xmlRelaxNGNewParserCtxt(path.c_str()), &xmlRelaxNGFreeParserCtxt);
    return schemas.emplace(name, Schema(xmlRelaxNGParse(parser.get()), &xmlRelaxNGFree))
        .first->second.get();
}

// What a schema has against a document; "" is nothing.
std::string objections(const std::string& schema_name, const std::string& text) {
    const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
        xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                      XML_PARSE_NOERROR | XML_PARSE_NONET),
        &xmlFreeDoc);
    if (!document) return "not well-formed";
    auto* const rules = schema(schema_name);
    if (rules == nullptr) return "no schema";
    const std::unique_ptr<xmlRelaxNGValidCtxt, decltype(&xmlRelaxNGFreeValidCtxt)> validator(
        xmlRelaxNGNewValidCtxt(rules), &xmlRelaxNGFreeValidCtxt);
    std::string said;
    xmlRelaxNGSetValidErrors(validator.get(), collect, collect, &said);
    const int outcome = xmlRelaxNGValidateDoc(validator.get(), document.get());
    return outcome == 0 ? "" : "objections: " + said;
}

// The two things that libvirt takes and its schema of volumes does not: a '/' in a name, and bases
// that are no absolute path.
std::string without_slashes_in_the_name(std::string text) {
    const auto from = text.find("<name>") + 6, to = text.find("</name>");
    for (auto at = from; at < to; ++at)
        if (text[at] == '/') text[at] = '-';
    return text;
}

std::string with_an_absolute_base(std::string text) {
    const auto path = text.find("<path>");
    if (path != std::string::npos && text[path + 6] != '/') text.insert(path + 6, "/");
    return text;
}

std::string volume_objections(const std::string& text) {
    return objections("storagevol", with_an_absolute_base(without_slashes_in_the_name(text)));
}

const std::vector<std::vector<std::string>> kHosts = {
    {"sf-1"}, {"sf-1", "sf-2:24008", "[fd00::1]:24009", "fd00::2", "10.0.0.1"}};

TemplateRequest shakenfist(const std::vector<std::string>& hosts = {"sf-1"}) {
    TemplateRequest request;
    request.volume = "shakenfist";
    request.hosts = hosts;
    return request;
}

TemplateRequest by_file(TemplateRequest request) {
    request.access = "file";
    request.mount = "/srv/shakenfist";
    return request;
}

TemplateRequest volume(const std::string& path) {
    TemplateRequest request;
    request.paths = {path};
    return request;
}

TemplateRequest guest(TemplateRequest request) {
    request.name = "sf:" + kUuid;
    request.uuid = kUuid;
    return request;
}

// A guest around a disk, which has no schema of its own.
std::string around(const std::string& disk) {
    auto text = made(Document::domain, guest(shakenfist()));
    const auto from = text.find("    <disk"), to = text.rfind("</disk>\n") + 8;
    return text.replace(from, to - from, disk);
}

TEST(Templates, Pools) {
    for (const auto& hosts : kHosts)
        EXPECT_EQ(objections("storagepool", made(Document::pool, shakenfist(hosts))), "");
    for (const auto& hosts : std::vector<std::vector<std::string>>{{"sf-1"}, {"a", "b", "c"}})
        EXPECT_EQ(objections("storagepool", made(Document::pool, by_file(shakenfist(hosts)))), "");
}

TEST(Templates, APoolHasAllItsHosts) {
    pugi::xml_document pool;
    pool.load_string(made(Document::pool, shakenfist(kHosts[1])).c_str());
    std::string hosts;
    for (const auto host : pool.select_nodes("/pool/source/host"))
        hosts += std::string(host.node().attribute("name").value()) + " " +
                 host.node().attribute("port").value() + ";";
    EXPECT_EQ(hosts, "sf-1 24007;sf-2 24008;fd00::1 24009;fd00::2 24007;10.0.0.1 24007;");
    EXPECT_STREQ(pool.select_node("/pool/name/text()").node().value(), "shakenfist");
    EXPECT_STREQ(pool.select_node("/pool/source/name/text()").node().value(), "shakenfist");
}

TEST(Templates, AMountPoolAsksTheOtherHostsWhenTheFirstIsDown) {
    const auto text = made(Document::pool, by_file(shakenfist({"a", "b", "c"})));
    EXPECT_NE(text.find("<host name='a'/>"), std::string::npos) << text;
    EXPECT_NE(text.find("'backup-volfile-servers=b:c'"), std::string::npos) << text;
    EXPECT_NE(text.find("<name>shakenfist-fuse</name>"), std::string::npos) << text;
    EXPECT_EQ(made(Document::pool, by_file(shakenfist())).find("mount_opts"), std::string::npos);
}

TEST(Templates, Volumes) {
    for (const char* format : {"qcow2", "raw"}) {
        auto blank = volume("instances/" + kUuid + "/vdb");
        blank.format = format;
        blank.size = "20G";
        EXPECT_EQ(volume_objections(made(Document::volume, blank)), "");
        auto image = volume(kCached);
        image.format = format;
        image.for_upload = true;
        EXPECT_EQ(volume_objections(made(Document::volume, image)), "");
        for (const char* size : {"", "8G"}) {
            for (const auto& base : {kCached, "gluster://sf-1/shakenfist/" + kCached,
                                     "/var/lib/libvirt/images/" + kCached}) {
                auto overlay = volume(kInstance);
                overlay.base = base;
                overlay.base_format = format;
                overlay.size = size;
                EXPECT_EQ(volume_objections(made(Document::volume, overlay)), "");
            }
        }
    }
}

TEST(Templates, AVolumeHasWhatWasAskedFor) {
    auto blank = volume("a");
    blank.size = "20G";
    EXPECT_NE(made(Document::volume, blank).find("<capacity unit='GiB'>20</capacity>"),
              std::string::npos);
    EXPECT_NE(made(Document::volume, blank).find("<compat>1.1</compat>"), std::string::npos);
    blank.format = "raw";
    EXPECT_EQ(made(Document::volume, blank).find("compat"), std::string::npos);
    auto overlay = volume("a");
    overlay.base = "b & c";
    const auto text = made(Document::volume, overlay);
    EXPECT_EQ(text.find("capacity"), std::string::npos) << text;
    EXPECT_NE(text.find("<path>b &amp; c</path>"), std::string::npos) << text;
}

TEST(Templates, TheSchemaObjectsToSlashesInNamesAndToNoMore) {
    auto blank = volume(kInstance);
    blank.size = "8G";
    const auto text = made(Document::volume, blank);
    EXPECT_NE(objections("storagevol", text), "");
    EXPECT_EQ(objections("storagevol", without_slashes_in_the_name(text)), "");
}

TEST(Templates, TheSchemaObjectsToBasesThatAreNoAbsolutePathAndToNoMore) {
    for (const auto& base : {kCached, "gluster://sf-1/shakenfist/" + kCached}) {
        auto overlay = volume("vda");
        overlay.base = base;
        const auto text = made(Document::volume, overlay);
        EXPECT_NE(objections("storagevol", text), "");
        EXPECT_EQ(objections("storagevol", with_an_absolute_base(text)), "");
    }
}

TEST(Templates, TheSchemasObjectToWhatIsWrong) {
    auto text = made(Document::domain, guest(shakenfist()));
    text.insert(text.find("<vcpu>"), "<nonsense/>");
    EXPECT_NE(objections("domain", text), "");
    text = made(Document::pool, shakenfist());
    text.insert(text.find("<source>"), "<nonsense/>");
    EXPECT_NE(objections("storagepool", text), "");
    EXPECT_NE(objections("domain", around("<disk type='network'/>\n")), "");
}

TEST(Templates, Disks) {
    for (const char* format : {"qcow2", "raw"}) {
        for (const auto& hosts : kHosts) {
            for (auto request : {shakenfist(hosts), by_file(shakenfist(hosts))}) {
                request.paths = {kInstance};
                request.format = format;
                request.target = "vdc";
                EXPECT_EQ(objections("domain", around(made(Document::disk, request))), "");
            }
        }
    }
}

TEST(Templates, Guests) {
    for (const char* type : {"kvm", "qemu"}) {
        for (const auto& hosts : kHosts) {
            for (auto request : {guest(shakenfist(hosts)), guest(by_file(shakenfist(hosts)))}) {
                request.type = type;
                request.memory = "1536M";
                request.cpus = "4";
                EXPECT_EQ(objections("domain", made(Document::domain, request)), "");
                request.uuid = "";
                request.paths = {"a", "b/c", "d"};
                EXPECT_EQ(objections("domain", made(Document::domain, request)), "");
            }
        }
    }
}

TEST(Templates, AGuestsDisksAreTheDocumentsOfDisks) {
    for (auto request : {guest(shakenfist(kHosts[1])), guest(by_file(shakenfist()))}) {
        const auto text = made(Document::domain, request);
        for (const std::string target : {"vda", "vdb"}) {
            request.paths = {"instances/" + kUuid + "/" + target};
            request.target = target;
            std::istringstream disk(made(Document::disk, request));
            std::string indented;
            for (std::string line; std::getline(disk, line);) indented += "    " + line + "\n";
            EXPECT_NE(text.find(indented), std::string::npos) << text << indented;
        }
    }
}

TEST(Templates, WhatIsMissingIsNamed) {
    EXPECT_EQ(refused(Document::pool, {}), "--volume must be given, and not empty");
    EXPECT_EQ(refused(Document::pool, shakenfist({})),
              "--host must be given: a server of the gluster volume");
    auto request = by_file(shakenfist());
    request.mount = "";
    EXPECT_EQ(refused(Document::pool, request), "--mount must be given, and not empty");
    EXPECT_TRUE(refused(Document::volume, {}).starts_with("--path must be given"));
    EXPECT_TRUE(refused(Document::volume, volume("a")).starts_with("--size must be given, or"));
    EXPECT_TRUE(refused(Document::disk, shakenfist()).starts_with("--path must be given"));
    EXPECT_TRUE(refused(Document::domain, shakenfist()).starts_with("--name must be given"));
    request = shakenfist();
    request.name = "demo";
    EXPECT_TRUE(refused(Document::domain, request).starts_with("--uuid must be given"));
}

// A request with one option changed, and the option that the refusal must begin with.
struct Wrong {
    Document document;
    std::string option;
    std::string TemplateRequest::*member;
    std::string value;
};

TEST(Templates, WhatCannotBeRightIsNamed) {
    using R = TemplateRequest;
    std::vector<Wrong> cases;
    for (const char* value : {"", "8", "G", "0G", "-1G", "8X", "8Gi", "8 G", "8GB ", "1.5G", "8E",
                              "9223372036854775808K", "99999999999999999999G", "0x8G"}) {
        if (*value != '\0') cases.push_back({Document::volume, "--size", &R::size, value});
        cases.push_back({Document::domain, "--memory", &R::memory, value});
    }
    for (const char* value : {"", "0", "01", "-1", "4097", "x", "1x", " 1"})
        cases.push_back({Document::domain, "--cpus", &R::cpus, value});
    for (const char* value :
         {"x", "3f0c5a867c1e4b0f9a521d3b7c9e2f10", "3f0c5a86-7c1e-4b0f-9a52-1d3b7c9e2f1g",
          "3f0c5a86-7c1e-4b0f-9a52-1d3b7c9e2f100"})
        cases.push_back({Document::domain, "--uuid", &R::uuid, value});
    for (const char* value : {"", "vd", "vdA", "vdaaa", "sda", "vd1", "vd'"})
        cases.push_back({Document::disk, "--target", &R::target, value});
    for (const char* value : {"", "../x", "a b", "a/b", "a\n"})
        cases.push_back({Document::disk, "--volume", &R::volume, value});
    for (const char* value : {"a/b", "a\nb", " ", "\x7F"}) {
        cases.push_back({Document::pool, "--name", &R::name, value});
        cases.push_back({Document::domain, "--name", &R::name, value});
    }
    for (const char* value : {"", "FILE", "both"})
        cases.push_back({Document::disk, "--access", &R::access, value});
    cases.push_back({Document::disk, "--format", &R::format, "vmdk"});
    cases.push_back({Document::domain, "--type", &R::type, "xen"});
    cases.push_back({Document::volume, "--base", &R::base, "a\nb"});
    for (const auto& wrong : cases) {
        TemplateRequest request = shakenfist();
        request.name = "demo";
        request.paths = {"a"};
        request.*wrong.member = wrong.value;
        const auto message = refused(wrong.document, request);
        EXPECT_TRUE(message.starts_with(wrong.option + " ")) << message << " for " << wrong.value;
    }
    const std::string paths[] = {"",       "/a", "a/",   "a//b", "./a",
                                 "a/../b", "..", "a\nb", "\xFF", std::string(256, 'x')};
    for (const auto& path : paths)
        for (const auto document : {Document::volume, Document::disk}) {
            TemplateRequest request = shakenfist();
            request.paths = {path};
            request.size = "1G";
            EXPECT_TRUE(refused(document, request).starts_with("--path ")) << path;
        }
    for (const std::string host : {"", "a b", "a/b", "/run/glusterd.socket", "a:", "a:0", "a:65536",
                                   "a:b", "[::1", "::x", "a_b", "a'", ":1"})
        EXPECT_TRUE(refused(Document::pool, shakenfist({host})).starts_with("--host ")) << host;
    for (const char* mount : {"srv", "/", "/..", "/srv/\n"}) {
        auto request = by_file(shakenfist());
        request.mount = mount;
        EXPECT_TRUE(refused(Document::pool, request).starts_with("--mount ")) << mount;
    }
    EXPECT_TRUE(refused(Document::pool, by_file(shakenfist({"a:1"}))).starts_with("--host "));
    EXPECT_TRUE(refused(Document::pool, by_file(shakenfist({"a", "::1"}))).starts_with("--host "));
}

TEST(Templates, WhatDoesNotGoTogetherIsNamed) {
    auto request = volume("a");
    request.base = "b";
    request.format = "raw";
    EXPECT_TRUE(refused(Document::volume, request).starts_with("--base needs --format qcow2"));
    request = volume("a");
    request.for_upload = true;
    request.size = "1G";
    EXPECT_TRUE(refused(Document::volume, request).starts_with("--for-upload goes with neither"));
    request = volume("a");
    request.base = "b";
    request.base_format = "vmdk";
    EXPECT_TRUE(refused(Document::volume, request).starts_with("--base-format "));
    request = guest(shakenfist());
    request.paths = std::vector<std::string>(27, "a");
    EXPECT_TRUE(refused(Document::domain, request).starts_with("--path "));
}

TEST(Templates, UnitsAreThoseOfVirsh) {
    const std::pair<const char*, const char*> sizes[] = {
        {"512M", "<capacity unit='MiB'>512<"}, {"8GiB", "<capacity unit='GiB'>8<"},
        {"8GB", "<capacity unit='GB'>8<"},     {"4k", "<capacity unit='KiB'>4<"},
        {"7E", "<capacity unit='EiB'>7<"},     {"9E", ""},
        {"9EB", "<capacity unit='EB'>9<"},     {"1T", "<capacity unit='TiB'>1<"},
        {"08P", "<capacity unit='PiB'>8<"},
    };
    for (const auto& [size, text] : sizes) {
        auto request = volume("a");
        request.size = size;
        if (*text == '\0')
            refused(Document::volume, request);
        else
            EXPECT_NE(made(Document::volume, request).find(text), std::string::npos) << size;
    }
}

TEST(Templates, AFaultOfATemplateIsNotTheUsers) {
    const auto text = make_document(Document::pool, shakenfist(), [](const std::string&) {
        return Result<std::string>("<pool>@SOMETHING@</pool>");
    });
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind(), ErrorKind::corrupt);
    EXPECT_EQ(text.error().message(), "gluster-pool.xml: nothing is known of @SOMETHING@");
}

// Whatever else is tested in this run: one request for each.
TEST(Templates, NoFileIsWithoutARequest) {
    files_read().clear();
    auto disk = shakenfist();
    disk.paths = {"a"};
    auto image = volume("a"), blank = volume("a"), overlay = volume("a");
    image.for_upload = true;
    blank.size = "1G";
    overlay.base = "b";
    made(Document::pool, shakenfist());
    made(Document::pool, by_file(shakenfist()));
    for (const auto& request : {image, blank, overlay}) made(Document::volume, request);
    made(Document::disk, disk);
    made(Document::disk, by_file(disk));
    made(Document::domain, guest(shakenfist()));
    std::set<std::string> there;
    for (const auto& entry : fs::directory_iterator(kTemplates))
        there.insert(entry.path().filename().string());
    EXPECT_EQ(files_read(), there);
}

}  // namespace
}  // namespace sfg::hooks
