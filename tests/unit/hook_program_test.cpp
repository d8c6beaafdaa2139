// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The hook's program, and the script that libvirt calls, with what nobody should give them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "hooks/rewrite/domain_xml.hpp"
#include "tests/support/command.hpp"

namespace sfg::hooks {
namespace {

using test::quoted;
using test::Ran;
using test::shell;

class HookProgram : public testing::Test {
  protected:
    Ran run(const std::string& words, const std::string& document,
            const std::string& program = SFG_QEMU_HOOK) {
        std::ofstream(input_) << document;
        return shell(program + " " + words + " < " + quoted(input_));
    }
    void TearDown() override { unlink(input_.c_str()); }

    const std::string input_ = testing::TempDir() + "sfg-hook-" + std::to_string(getpid());
};

std::vector<std::string> bad_documents() {
    std::string deep = "<domain type='kvm'>", bomb = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>";
    for (int i = 0; i < 300; ++i) deep += "<a>";
    for (char c = 'b'; c < 'l'; ++c)
        bomb += std::string("<!ENTITY ") + c + " '&" + char(c - 1) + ";&" + char(c - 1) + ";&" +
                char(c - 1) + ";&" + char(c - 1) + ";&" + char(c - 1) + ";&" + char(c - 1) + ";'>";
    return {"",
            "no XML",
            "<domain",
            "<pool type='gluster'/>",
            std::string("<domain>\0</domain>", 18),
            deep,
            bomb + "]><domain type='kvm'>&k;</domain>",
            "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain type='kvm'/>",
            "<domain type='kvm'>" + std::string(DomainXml::kLargest, ' ') + "</domain>",
            "<domain type='kvm'>\xff\xfe</domain>"};
}

}  // namespace

TEST_F(HookProgram, RefusesWhatIsNoDocumentAndLetsAllElseBe) {
    for (const auto& document : bad_documents()) {
        const std::string shown = document.substr(0, 60);
        for (const char* operation : {"migrate", "restore"}) {
            const Ran ran = run(std::string("guest ") + operation + " begin -", document);
            EXPECT_EQ(ran.status, 1) << operation << " " << shown;
            EXPECT_NE(ran.output.find("sf-gluster: guest 'guest': this is not a domain document"),
                      std::string::npos)
                << ran.output;
            EXPECT_EQ(ran.output.find("<domain type"), std::string::npos) << ran.output;
        }
        for (const char* words :
             {"guest prepare begin -", "guest reconnect begin -", "guest stopped end -",
              "guest release end -", "guest attach begin -", "guest started begin -",
              "guest start begin -", "guest migrate end -", "guest what ever -", "guest", ""}) {
            const Ran ran = run(words, document);
            EXPECT_TRUE(ran.ok()) << words << " " << shown;
            EXPECT_EQ(ran.output, "") << words << " " << shown;
        }
    }
}

TEST_F(HookProgram, SaysNothingOfGuestsWithoutGluster) {
    const std::string document =
        "<domain type='kvm'><devices><emulator>/nonexistent</emulator><disk type='block' "
        "device='disk'><source dev='/dev/vdb'/><target dev='vda'/></disk><disk type='file'><source "
        "file='/var/lib/libvirt/images/a'/><target dev='vdb'/></disk></devices></domain>";
    for (const char* operation : {"migrate", "restore", "prepare"}) {
        const Ran ran = run(std::string("guest ") + operation + " begin -", document);
        EXPECT_TRUE(ran.ok()) << operation << ran.output;
        EXPECT_EQ(ran.output, "") << operation;
    }
}

// A disk that is not known here is let through: the emulator alone is asked, and only if it may be.
TEST_F(HookProgram, DoesNotRunWhatTheDocumentNames) {
    const std::string mark = testing::TempDir() + "sfg-hook-ran-" + std::to_string(getpid());
    const std::string emulator = testing::TempDir() + "sfg-emulator-" + std::to_string(getpid());
    std::ofstream(emulator) << "#!/bin/sh\ntouch " << mark << "\n";
    ASSERT_TRUE(shell("chmod 777 " + emulator).ok());
    const std::string document =
        "<domain type='kvm'><devices><emulator>" + emulator +
        "</emulator><disk type='network'><source protocol='gluster' name='v/a'><host "
        "transport='unix' socket='/nonexistent'/></source><target dev='vda'/></disk></devices>"
        "</domain>";
    EXPECT_TRUE(run("guest prepare begin -", document).ok());
    EXPECT_TRUE(run("guest migrate begin -", document).ok());
    EXPECT_FALSE(std::ifstream(mark).good());
    unlink(emulator.c_str());
}

// The script is between libvirt and whatever may become of the program.
class HookScript : public HookProgram {
  protected:
    // The script, with another program in the place of ours.
    std::string script(const std::string& program) {
        const std::string path = testing::TempDir() + "sfg-script-" + std::to_string(getpid());
        const Ran made = shell("sed 's|^program=.*|program=" + program +
                               "|' " SFG_HOOK_SCRIPT " > " + path + " && chmod 755 " + path);
        EXPECT_TRUE(made.ok()) << made.output;
        return path;
    }
    std::string program(const std::string& text) {
        const std::string path = testing::TempDir() + "sfg-program-" + std::to_string(getpid());
        std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
        shell("chmod 755 " + path);
        return path;
    }
};

TEST_F(HookScript, NothingButARefusalKeepsAGuestFromStarting) {
    EXPECT_EQ(run("g prepare begin -", "", script(program("echo why >&2; exit 1"))).output,
              "why\n");
    EXPECT_EQ(run("g prepare begin -", "", script(program("exit 1"))).status, 1);
    for (const char* end : {"exit 0", "exit 2", "exit 127", "kill -SEGV $$", "kill -ABRT $$"})
        EXPECT_TRUE(run("g prepare begin -", "", script(program(end))).ok()) << end;
    EXPECT_TRUE(run("g prepare begin -", "", script("/nonexistent")).ok());
}

TEST_F(HookScript, HalfADocumentFailsAMigration) {
    const auto half = script(program("cat; kill -SEGV $$"));
    EXPECT_FALSE(run("g migrate begin -", "<domain", half).ok());
    EXPECT_FALSE(run("g restore begin -", "<domain", half).ok());
    EXPECT_TRUE(run("g migrate begin -", "<domain", script("/nonexistent")).ok());
}

TEST_F(HookScript, ARunningGuestIsNoneOfItsBusiness) {
    const auto fails = script(program("exit 1"));
    for (const char* words : {"g reconnect begin -", "g stopped end -", "g release end -",
                              "g attach begin -", "g started begin -", "g what ever -", "g", ""})
        EXPECT_TRUE(run(words, "x", fails).ok()) << words;
}

}  // namespace sfg::hooks
