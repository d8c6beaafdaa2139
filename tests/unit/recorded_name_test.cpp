// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/recorded_name.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sfg {
namespace {

std::string text_of(const NamedFile& file) {
    switch (file.kind) {
        case NamedFile::Kind::relative:
            return "relative " + file.path;
        case NamedFile::Kind::local:
            return "local " + file.path;
        case NamedFile::Kind::working_directory:
            return "cwd " + file.path;
        case NamedFile::Kind::elsewhere:
            return "elsewhere";
        case NamedFile::Kind::unknown:
            return "unknown";
        case NamedFile::Kind::gluster:
            break;
    }
    std::string text = "gluster " + file.volume + " " + file.path;
    for (const auto& server : file.servers)
        text += " @" + server.name() + (server.port != 0 ? ":" + std::to_string(server.port) : "");
    return text;
}

// "plain qcow2: gluster v a/b @h", and with several files, or one that is not the whole, "of: ".
std::string text_of(const RecordedName& name) {
    std::string text = name.plain ? "plain" : "of";
    if (!name.format.empty()) text += " " + name.format;
    std::string separator = ": ";
    for (const auto& file : name.files) {
        text += separator + text_of(file) + (file.climbs ? " (climbs)" : "");
        separator = " + ";
    }
    return text;
}

struct Row {
    std::string name;
    std::string read;
};

void expect_all(const std::vector<Row>& rows) {
    for (const auto& row : rows)
        EXPECT_EQ(text_of(read_recorded_name(row.name)), row.read) << row.name;
}

TEST(RecordedNames, OfFiles) {
    expect_all({
        {"base", "plain: relative base"},
        {"../image_cache/base", "plain: relative ../image_cache/base"},
        {"./nbd:x", "plain: relative ./nbd:x"},
        {"dir/a:b", "plain: relative dir/a:b"},
        {"\xff\xfe", "plain: relative \xff\xfe"},
        // What qemu-img opens where it was given the image by a gluster URI comes second.
        {"a%20b", "plain: relative a%20b + relative a b"},
        {"a%2Fb", "plain: relative a%2Fb + relative a/b"},
        {"base#1", "plain: relative base#1 + relative base"},
        {"base?x=1", "plain: relative base?x=1 + relative base"},
        {"a%00b", "plain: relative a%00b + relative a"},
        {"100%", "plain: relative 100%"},
        {"#", "plain: relative #"},
        {"/srv/sf/base", "plain: local /srv/sf/base"},
        {"//srv/./sf///base/", "plain: local /srv/sf/base"},
        {"/../../srv/base", "plain: local /srv/base"},
        {"/srv/link/../base", "plain: local /srv/base (climbs)"},
        {"/", "plain: local /"},
        {"/a:b", "plain: local /a:b"},
        {"/a%20b", "plain: local /a%20b"},
        {"/dev/fdset/3", "of: unknown"},
        {"file:/srv/base", "plain: local /srv/base"},
        {"file:base", "plain: cwd base"},
        {"file:../base", "plain: cwd ../base"},
        {"file:///srv/base", "plain: local /srv/base"},
        // No host: libvirt refuses such a URI, qemu cuts "file:" off and no more.
        {"file://localhost/srv/base", "plain: local /localhost/srv/base"},
        {"file:a:b", "plain: cwd a:b"},
        {"file:gluster://h/v/a", "plain: cwd gluster://h/v/a"},
        {"file:%2Fsrv", "plain: cwd %2Fsrv"},
        {"file:", "of: unknown"},
        {"FILE:/srv/base", "of: unknown"},
        {"host_device:/dev/vg/base", "plain: local /dev/vg/base"},
        {"host_cdrom:/dev/cdrom", "plain: local /dev/cdrom"},
        {"io_uring:/srv/base", "plain: local /srv/base"},
        {"", "of: unknown"},
        {std::string("a\0b", 3), "of: unknown"},
        {std::string("/a\0", 3), "of: unknown"},
        {std::string(70000, 'a'), "of: unknown"},
    });
}

TEST(RecordedNames, OfOtherProtocols) {
    expect_all({
        {"nbd:localhost:10809:exportname=x", "of: elsewhere"},
        {"nbd:unix:/run/nbd.sock", "of: elsewhere"},
        {"nbd+unix:///x?socket=/run/nbd", "of: elsewhere"},
        {"rbd:pool/image", "of: elsewhere"},
        {"http://h/base", "of: elsewhere"},
        {"https://h/base", "of: elsewhere"},
        {"ftps://h/base", "of: elsewhere"},
        {"iscsi://h/iqn/0", "of: elsewhere"},
        {"ssh://h/srv/base", "of: elsewhere"},
        {"nfs://h/srv/base", "of: elsewhere"},
        {"null-co://", "of: elsewhere"},
        {"sheepdog:x", "of: elsewhere"},
        {"HTTP://h/base", "of: unknown"},
        {"glusterfs://h/v/a", "of: unknown"},
        {"fat:rw:/srv", "of: unknown"},
        {"fuse:/srv/base", "of: unknown"},
        {"nbdkit:/srv/base", "of: unknown"},
        {":", "of: unknown"},
        {":/srv/base", "of: unknown"},
        {"2026-11-01T10:00.img", "of: unknown"},
        {"blkdebug:/etc/c:/srv/base", "of: local /etc/c + local /srv/base"},
        {"blkdebug::base", "of: cwd base"},
        {"blkdebug::gluster://h/v/a", "of: gluster v a @h"},
        {"blkdebug::json:{'driver':'qcow2','file':{'driver':'file','filename':'/b'}}",
         "of: local /b"},
        {"blkdebug:base", "of: unknown"},
        {"blkdebug:::/srv/base", "of: unknown"},
        {"blkverify:raw:/srv/base", "of: cwd raw + local /srv/base"},
        {"blkverify::/srv/base", "of: unknown + local /srv/base"},
        {"blkdebug::blkverify:a:nbd:h:1", "of: cwd a + elsewhere"},
        {"blkdebug::blkdebug::blkdebug::blkdebug::blkdebug::blkdebug::blkdebug::blkdebug::"
         "blkdebug::blkdebug::/srv/base",
         "of: unknown"},
    });
}

TEST(RecordedNames, OfGlusterUris) {
    expect_all({
        {"gluster://h/v/a", "plain: gluster v a @h"},
        {"gluster://h:24008/v/a/b", "plain: gluster v a/b @h:24008"},
        {"gluster+tcp://h/v/a", "plain: gluster v a @h"},
        {"gluster+rdma://h/v/a", "plain: gluster v a @h"},
        {"gluster://[2001:db8::1]:24007/v/a", "plain: gluster v a @2001:db8::1:24007"},
        {"gluster://[2001:db8::1]/v/a", "plain: gluster v a @2001:db8::1"},
        {"gluster+unix:///v/a?socket=/run/g", "plain: gluster v a @/run/g"},
        {"gluster+unix:///v/a?socket=%2Frun%2Fg", "plain: gluster v a @/run/g"},
        // No host is localhost, and neither slash need be there.
        {"gluster:///v/a", "plain: gluster v a"},
        {"gluster:/v/a", "plain: gluster v a"},
        {"gluster:v/a", "plain: gluster v a"},
        {"gluster://h//v///a//b/", "plain: gluster v a/b @h"},
        {"gluster://h/v/./a", "plain: gluster v a @h"},
        {"gluster://h/v/../a", "plain: gluster v a @h"},
        {"gluster://h/v/../../w/a", "plain: gluster v w/a @h"},
        {"gluster://h/v/link/../a", "plain: gluster v a @h (climbs)"},
        {"gluster://h/v/a%20b", "plain: gluster v a b @h"},
        {"gluster://h/v/a b", "plain: gluster v a b @h"},
        {"gluster://h/v/\xc3\xa4", "plain: gluster v \xc3\xa4 @h"},
        {"gluster://h/v/%C3%a4", "plain: gluster v \xc3\xa4 @h"},
        {"gluster://h/v/dir%2Fa", "plain: gluster v dir/a @h"},
        {"gluster://h/%76%2fa", "plain: gluster v a @h"},
        {"gluster://h/v/a%2520", "plain: gluster v a%20 @h"},
        {"gluster://h/v/%2e%2E/a", "plain: gluster v a @h"},
        {"gluster://h/v/a#b?c", "plain: gluster v a @h"},
        {"gluster://h/v/a?", "plain: gluster v a @h"},
        // One of the two refuses these, or both do.
        {"gluster://h/v/a%00b", "of: gluster v a @h"},
        {"gluster://h/v/100%", "of: gluster v 100% @h"},
        {"gluster://h/v/%zz", "of: gluster v %zz @h"},
        {"gluster://h/v/a?x=y", "of: gluster v a @h"},
        {"gluster://h/v/a?socket=/run/g", "of: gluster v a @h"},
        {"gluster+unix:///v/a", "of: gluster v a"},
        {"gluster+unix:///v/a?x=/run/g", "of: gluster v a"},
        {"gluster+unix:///v/a?socket=", "of: gluster v a"},
        {"gluster+unix:///v/a?socket=/run/g&x=1", "of: gluster v a @/run/g"},
        {"gluster+unix://h/v/a?socket=/run/g", "of: gluster v a @/run/g"},
        {"gluster://u@h/v/a", "of: gluster v a @h"},
        {"gluster://u:p@h:24007/v/a", "of: gluster v a @h:24007"},
        {"gluster://h:port/v/a", "of: gluster v a @h"},
        {"gluster://h:/v/a", "of: gluster v a @h"},
        {"gluster://h:99999/v/a", "of: gluster v a @h"},
        {"gluster://h:-1/v/a", "of: gluster v a @h"},
        {"gluster://[::1]x/v/a", "of: gluster v a @::1"},
        {"GLUSTER://h/v/a", "of: gluster v a @h"},
        {"Gluster+TCP://h/v/a", "of: gluster v a @h"},
        {"gluster+quic://h/v/a", "of: gluster v a @h"},
        {"gluster+://h/v/a", "of: gluster v a @h"},
        {"gluster://h/v/", "of: gluster v  @h"},
        {"gluster://h/v", "of: gluster v  @h"},
        // No volume of gluster's, or none that is sure.
        {"gluster://h/v.tcp/a", "of: unknown"},
        {"gluster://h", "of: unknown"},
        {"gluster://", "of: unknown"},
        {"gluster:", "of: unknown"},
        {"gluster://[a/b/]/v/a", "of: unknown"},
        {"gluster://u@[a/b/]/v/a", "of: unknown"},
        {"gluster://h/v%20/a", "of: unknown"},
        {"gluster://h/" + std::string(2000, '/') + "v/a", "plain: gluster v a @h"},
    });
}

// What libvirt writes (qemuBlockGetBackingStoreString) and what is like it.
TEST(RecordedNames, OfJsonThatIsOneFile) {
    const std::string gluster =
        R"({"driver":"gluster","volume":"v","path":"a/b","server":[{"type":"inet","host":"h",)"
        R"("port":"24007"},{"type":"inet","host":"k","port":"24008"}]})";
    const std::string read = "gluster v a/b @h:24007 @k:24008";
    expect_all({
        {"json:{\"file\":" + gluster + "}", "plain: " + read},
        {"json:" + gluster, "plain: " + read},
        {R"(json:{"driver":"qcow2","file":)" + gluster + "}", "plain qcow2: " + read},
        {R"(json:{"driver":"raw","file":)" + gluster + "}", "plain raw: " + read},
        {"json: { 'file' :\n" + gluster + "\t} ", "plain: " + read},
        {R"(json:{"driver":"qcow2","file.driver":"gluster","file.volume":"v","file.path":"/a/b",)"
         R"("file.server.0.type":"tcp","file.server.0.host":"h","file.server.0.port":24007,)"
         R"("file.server.1":{"type":"inet","host":"k","port":"24008"}})",
         "plain qcow2: " + read},
        {R"(json:{"file":{"driver":"gluster","volume":"v","path":"a","debug":4,"server.0.type":)"
         R"("unix","server.0.path":"/run/g"},"read-only":true,"cache":{"direct":true}})",
         "plain: gluster v a @/run/g"},
        {R"(json:{"driver":"gluster","volume":"v","path":"a","server":[{"type":"unix",)"
         R"("socket":"/run/g"},{"type":"tcp","host":"::1"}]})",
         "plain: gluster v a @/run/g @::1"},
        {R"(json:{"driver":"gluster","filename":"gluster://h/v/a"})", "plain: gluster v a @h"},
        {R"(json:{"file.driver":"gluster","file.filename":"gluster://h/v/a%20b"})",
         "plain: gluster v a b @h"},
        {R"(json:{"driver":"file","filename":"/srv/base"})", "plain: local /srv/base"},
        {R"(json:{"driver":"raw","file":{"driver":"host_device","filename":"/dev/vg/b"}})",
         "plain raw: local /dev/vg/b"},
        {R"(json:{"driver":"qcow2","file":{"driver":"file","filename":"base"}})",
         "plain qcow2: cwd base"},
        {R"(json:{"file":{"filename":"/srv/base","locking":"off"}})", "plain: local /srv/base"},
        {R"(json:{"file.filename":"base"})", "plain: cwd base"},
        {R"(json:{'driver':'file','filename':'it\'s "b"'})", "plain: cwd it's \"b\""},
        {R"(json:{"driver":"file","filename":"\/srv\/\u00e4\ud83d\ude00\n"})",
         "plain: local /srv/\xc3\xa4\xf0\x9f\x98\x80\n"},
        // Nothing is decoded here.
        {R"(json:{"driver":"gluster","volume":"v","path":"a%20b","server.0.type":"inet",)"
         R"("server.0.host":"h","server.0.port":"1"})",
         "plain: gluster v a%20b @h:1"},
        // Beside the name as it stands, what it would be with its protocol.
        {R"(json:{"file":{"filename":"gluster://h/v/a"}})",
         "plain: cwd gluster://h/v/a + gluster v a @h"},
        {R"(json:{"driver":"file","filename":"file:/srv/base"})",
         "plain: cwd file:/srv/base + local /srv/base"},
    });
}

TEST(RecordedNames, OfJsonThatIsMore) {
    const std::string file = R"({"driver":"file","filename":"/b"})";
    expect_all({
        {R"(json:{"driver":"raw","offset":512,"file":)" + file + "}", "of: local /b"},
        {R"(json:{"file":{"driver":"raw","size":512,"file":)" + file + "}}", "of: local /b"},
        {R"(json:{"driver":"raw","file":{"driver":"raw","file":)" + file + "}}", "of: local /b"},
        {R"(json:{"driver":"vmdk","file":)" + file + "}", "of: local /b"},
        {R"(json:{"driver":"luks","key-secret":"s","file":)" + file + "}", "of: local /b"},
        {R"(json:{"driver":"throttle","throttle-group":"g","file":{"driver":"qcow2","file":)" +
             file + "}}",
         "of: local /b"},
        {R"(json:{"driver":"qcow2","backing":null,"file":)" + file + "}", "of: local /b"},
        {R"(json:{"driver":"qcow2","backing":"","file":)" + file + "}", "of: local /b"},
        {R"(json:{"driver":"qcow2","file":)" + file +
             R"(,"backing":{"driver":"qcow2","file":{"driver":"gluster","volume":"v","path":"a",)"
             R"("server":[{"type":"inet","host":"h","port":"1"}]}}})",
         "of: gluster v a @h:1 + local /b"},
        {R"(json:{"driver":"qcow2","file":)" + file + R"(,"data-file.filename":"/d"})",
         "of: local /d + local /b"},
        {R"(json:{"driver":"qcow2","file":)" + file + R"(,"backing":"node7"})",
         "of: unknown + local /b"},
        {R"(json:{"driver":"quorum","vote-threshold":1,"children":[)" + file +
             R"(,{"driver":"raw","file":{"driver":"nbd","host":"h"}},"node"]})",
         "of: local /b + elsewhere + unknown"},
        {R"(json:{"driver":"quorum","children.0.file.filename":"/b","children.1":)" + file + "}",
         "of: local /b + local /b"},
        {R"(json:{"driver":"vmdk","file":)" + file + R"(,"extents.0.filename":"/x"})",
         "of: local /x + local /b"},
        {R"(json:{"driver":"blkdebug","config":"/c","image":)" + file + "}",
         "of: local /c + local /b"},
        {R"(json:{"driver":"blkdebug","x-image":"gluster://h/v/a"})", "of: gluster v a @h"},
        {R"(json:{"driver":"blkverify","x-raw":"raw","x-image":"json:{'file.filename':'/b'}"})",
         "of: local /b + cwd raw"},
        {R"(json:{"driver":"blklogwrites","file":)" + file + R"(,"log":{"filename":"/l"}})",
         "of: local /b + local /l"},
        {R"(json:{"driver":"copy-before-write","file":)" + file + R"(,"target":)" + file + "}",
         "of: local /b + local /b"},
        {R"(json:{"driver":"nbd","export":"x","server":{"type":"unix","path":"/s"}})",
         "of: elsewhere"},
        {R"(json:{"driver":"raw","file":{"driver":"https","url":"https://h/b"}})", "of: elsewhere"},
        {R"(json:{"driver":"null-co","size":1048576})", "of: elsewhere"},
        {R"(json:{"driver":"vvfat","dir":"/srv"})", "of: unknown"},
        {R"(json:{"driver":"newdriver","file":)" + file + "}", "of: local /b + unknown"},
        {R"(json:{"driver":"qcow2","new":{"driver":"file","filename":"/n"},"file":)" + file + "}",
         "of: local /b + local /n"},
        {R"(json:{"driver":"qcow2","new":1,"file":)" + file + "}", "of: local /b"},
        {R"(json:{"driver":"file","filename":"/b","new":true})", "of: local /b"},
        // Only below something is a bare filename opened.
        {R"(json:{"filename":"/b"})", "of: local /b"},
        {R"(json:{"driver":"raw","file":{"driver":"file","filename":"json:{'driver':'qcow2',)"
         R"('file':{'filename':'/b'}}"}})",
         "plain raw: cwd json:{'driver':'qcow2','file':{'filename':'/b'}} + local /b"},
    });
}

TEST(RecordedNames, OfGlusterInJsonThatIsStrange) {
    const std::string servers = R"("server":[{"type":"inet","host":"h","port":"1"}])";
    expect_all({
        {R"(json:{"driver":"gluster","volume":"v","path":"a"})", "of: gluster v a"},
        {R"(json:{"driver":"gluster","volume":"v","path":"a","server":[]})", "of: gluster v a"},
        {R"(json:{"driver":"gluster","volume":"v","path":"a","server":["h"]})",
         "of: gluster v a + unknown"},
        {R"(json:{"driver":"gluster","volume":"v","path":"a","server":[{"type":"vsock"}]})",
         "of: gluster v a"},
        {R"(json:{"driver":"gluster","volume":"v","path":"a","server.1.type":"inet"})",
         "of: gluster v a"},
        {R"(json:{"driver":"gluster","volume":"v","path":"a","server.0":{"type":"inet",)"
         R"("host":"h","port":"x"}})",
         "of: gluster v a"},
        {R"(json:{"driver":"gluster","volume":"v","path":"",)" + servers + "}",
         "of: gluster v  @h:1"},
        {R"(json:{"driver":"gluster","volume":"v.tcp","path":"a",)" + servers + "}", "of: unknown"},
        {R"(json:{"driver":"gluster","volume":"/snaps/s/v","path":"a",)" + servers + "}",
         "of: unknown"},
        {R"(json:{"driver":"gluster","volume":1,"path":"a",)" + servers + "}", "of: unknown"},
        {R"(json:{"driver":"gluster","volume":"v",)" + servers + "}", "of: unknown"},
        {R"(json:{"driver":"gluster","filename":"gluster://h/v/a","path":"b"})", "of: unknown"},
        {R"(json:{"driver":"gluster","uri":"gluster://h/v/a"})", "of: gluster v a @h"},
        // qemu 7.2 asks for no scheme there.
        {R"(json:{"driver":"gluster","filename":"//h/v/a"})", "of: gluster v a @h"},
        {R"(json:{"driver":"gluster","filename":"v/a"})", "of: gluster v a"},
        {R"(json:{"driver":"gluster","filename":"Gluster+unix:///v/a?socket=/s"})",
         "of: gluster v a @/s"},
        {R"(json:{"driver":"gluster","filename":"http://h/v/a"})", "of: unknown"},
        {R"(json:{"driver":"gluster","filename":7})", "of: unknown"},
        {R"(json:{"driver":"gluster"})", "of: unknown"},
    });
}

TEST(RecordedNames, OfJsonThatCannotBeUnderstood) {
    std::string deep = "json:";
    for (int i = 0; i < 10000; ++i) deep += "{'a':";
    std::string arrays = "json:{'file':" + std::string(60000, '[');
    std::string dots = "json:{'file";
    for (int i = 0; i < 20000; ++i) dots += ".a";
    std::string many = "json:{'driver':'quorum'";
    for (int i = 0; i < 5000; ++i) many += ",'" + std::to_string(i) + "':1";
    const std::string file = R"({"driver":"file","filename":"/b"})";
    for (const std::string& name : std::vector<std::string>{
             "json:",
             "json:{}",
             "json:[]",
             "json:null",
             "json:\"/b\"",
             "JSON:" + file,
             "json:" + file + "x",
             "json:" + file + file,
             "json:{\"file\":" + file,
             "json:{\"file\":" + file + ",}",
             "json:{\"file\":" + file + ",\"file\":" + file + "}",
             "json:{\"file\":" + file + ",\"file.filename\":\"/c\"}",
             "json:{\"file.filename\":\"/c\",\"file\":" + file + "}",
             "json:{\"file.filename\":\"/c\",\"file\":\"node\"}",
             "json:{\"file\":\"node\",\"file.filename\":\"/c\"}",
             "json:{\"file\":{},\"file.filename\":\"/c\"}",
             "json:{\"file.filename\":\"/c\",\"file\":{}}",
             "json:{\"file.filename.x\":\"/c\",\"file.filename\":\"/d\"}",
             "json:{\"file\":\"node\"}",
             "json:{\"file\":null}",
             "json:{\"file\":{}}",
             "json:{\"file\":[]}",
             "json:{\"driver\":\"raw\"}",
             "json:{\"driver\":\"file\"}",
             "json:{\"driver\":1,\"file\":" + file + "}",
             "json:{\"driver\":\"file\",\"filename\":1}",
             "json:{\"driver\":\"file\",\"filename\":\"\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\u0000\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\ud800\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\ud800\\u0041\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\udc00\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\u00g0\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\u00",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\",
             "json:{\"driver\":\"file\",\"filename\":\"/b\\x\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\xff\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\n\"}",
             "json:{\"driver\":\"file\",\"filename\":\"/b\xc0\x80\"}",
             "json:{driver:\"file\",\"filename\":\"/b\"}",
             "json:{\"driver\" \"file\"}",
             "json:{\"a..b\":1}",
             "json:{\".a\":1}",
             "json:{\"a.\":1}",
             "json:{\"\":1}",
             "json:{\"a\":nul}",
             "json:{\"a\":1x}",
             deep,
             arrays,
             dots + "':1}",
             many + "}",
         }) {
        const RecordedName read = read_recorded_name(name);
        EXPECT_EQ(text_of(read), "of: unknown") << name.substr(0, 100);
    }
}

TEST(RecordedNames, OfDataFiles) {
    const std::vector<Row> rows = {
        {"/srv/d", "plain: local /srv/d"},
        {"d", "of: relative d + cwd d"},
        {"../d%20", "of: relative ../d%20 + relative ../d  + cwd ../d%20"},
        {"file:/srv/d", "of: local /srv/d + relative file:/srv/d"},
        {"gluster://h/v/d", "of: gluster v d @h + relative gluster://h/v/d"},
        {"json:{'driver':'raw','file':{'driver':'file','filename':'/d'}}",
         "of: local /d + relative json:{'driver':'raw','file':{'driver':'file','filename':'/d'}}"},
        {"", "of: unknown"},
        {std::string("d\0", 2), "of: unknown"},
        {std::string("file:d\0", 7), "of: unknown"},
    };
    for (const auto& row : rows)
        EXPECT_EQ(text_of(read_data_file_name(row.name)), row.read) << row.name;
}

TEST(RecordedNames, HaveAProtocolWhereAColonComesFirst) {
    for (const char* name : {"gluster://h/v/a", "nbd:x", ":", "a:b/c", "json:{}"})
        EXPECT_TRUE(has_protocol(name)) << name;
    for (const char* name : {"", "a", "./a:b", "/a:b", "a/b:c"})
        EXPECT_FALSE(has_protocol(name)) << name;
}

}  // namespace
}  // namespace sfg
