// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What `sf-gluster --help` lists stands in the man page, and bash completes it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/support/command.hpp"

namespace sfg::test {
namespace {

using Words = std::vector<std::string>;

struct Help {
    std::vector<Words> options;  // the long names of each
    Words subcommands;
};

// Of `sf-gluster WORDS --help`: CLI11 puts a name at two blanks, since 2.6 a long option without a
// short one at ten, and all else further in.
Help help_of(const Words& words) {
    Words command{SFG_COMMAND};
    command.insert(command.end(), words.begin(), words.end());
    command.push_back("--help");
    const Ran ran = run(command);
    EXPECT_TRUE(ran.ok()) << ran.output;
    std::istringstream text(ran.output);
    Help help;
    bool in_options = false, in_subcommands = false;
    for (std::string line; std::getline(text, line);) {
        if (line.empty() || line[0] != ' ') {
            in_options = line == "Options:" || line == "OPTIONS:";
            in_subcommands = line == "Subcommands:" || line == "SUBCOMMANDS:";
            continue;
        }
        const auto indent = line.find_first_not_of(' ');
        if (in_subcommands && indent == 2)
            help.subcommands.push_back(line.substr(2, line.find(' ', 2) - 2));
        if (!in_options || (indent != 2 && indent != 10)) continue;
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream list(line);
        help.options.emplace_back();
        for (std::string name; list >> name && name.starts_with('-');)
            if (name.starts_with("--")) help.options.back().push_back(name);
    }
    EXPECT_FALSE(help.options.empty()) << ran.output;
    return help;
}

// All that can stand before --help: {}, {"rewrite"}, {"template"}, {"template", "pool"}.
std::vector<Words> all_subcommands(const Words& words = {}) {
    std::vector<Words> all{words};
    for (const auto& subcommand : help_of(words).subcommands) {
        Words longer = words;
        longer.push_back(subcommand);
        for (auto& one : all_subcommands(longer)) all.push_back(std::move(one));
    }
    return all;
}

std::string joined(const Words& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string page() {
    std::ifstream file(SFG_SOURCE_DIR "/packaging/man/sf-gluster.1.scd");
    return {std::istreambuf_iterator<char>(file), {}};
}

// From a heading's line to the next heading of its level or of one above.
std::string section(const std::string& text, const std::string& heading) {
    const auto start = text.find("\n" + heading + "\n");
    if (start == std::string::npos) return "";
    const auto level = heading.find(' ');
    std::size_t end = start + 1;
    do {
        end = text.find("\n#", end);
        if (end == std::string::npos) return text.substr(start);
        ++end;
    } while (text.find_first_not_of('#', end) - end > level);
    return text.substr(start, end - start);
}

std::string heading_of(const Words& subcommand) {
    if (subcommand.size() > 1) return "## sf-gluster " + joined(subcommand);
    std::string name = subcommand.empty() ? "synopsis" : subcommand[0];
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return "# " + name;
}

bool has(const std::string& text, const std::string& option) {
    for (auto at = text.find(option); at != std::string::npos; at = text.find(option, at + 1)) {
        const char after = at + option.size() < text.size() ? text[at + option.size()] : ' ';
        if (after != '-' && std::isalnum(static_cast<unsigned char>(after)) == 0) return true;
    }
    return false;
}

// Whether a section has a paragraph about an option: a line that begins with it or with another
// name of it, and an indented one after that.
bool describes(const std::string& section, const std::string& option) {
    std::istringstream text(section);
    std::string previous;
    for (std::string line; std::getline(text, line); previous = line)
        if (line.starts_with('\t') && previous.starts_with("*--") &&
            previous.find("*" + option + "*") != std::string::npos)
            return true;
    return false;
}

// What bash offers for the last word.
Words completed(const Words& words, const std::string& before = "") {
    std::string script = before + "\nsource " +
                         quoted(SFG_SOURCE_DIR "/packaging/completions/sf-gluster") +
                         "\nCOMP_WORDS=(sf-gluster";
    for (const auto& word : words) script += " " + quoted(word);
    script += ")\nCOMP_CWORD=" + std::to_string(words.size()) +
              "\n_sf_gluster\n[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' \"${COMPREPLY[@]}\"";
    const Ran ran = run({"bash", "-c", script});
    EXPECT_TRUE(ran.ok()) << ran.output;
    std::istringstream lines(ran.output);
    Words offered;
    for (std::string line; std::getline(lines, line);) offered.push_back(line);
    return offered;
}

TEST(CommandLine, TheManPageHasEverySubcommandWithItsOptions) {
    const std::string text = page();
    for (const auto& subcommand : all_subcommands()) {
        const std::string own = section(text, heading_of(subcommand));
        EXPECT_FALSE(own.empty()) << "no section " << heading_of(subcommand);
        const std::string whole =
            subcommand.empty() ? own : section(text, heading_of({subcommand[0]}));
        for (const auto& names : help_of(subcommand).options) {
            bool in_own = false;
            for (const auto& name : names) {
                // SYNOPSIS has it for all of them.
                if (name == "--help" && !subcommand.empty()) continue;
                EXPECT_TRUE(subcommand.empty() ? has(whole, name) : describes(whole, name))
                    << joined(subcommand) << " " << name;
                in_own = in_own || has(own, name);
            }
            EXPECT_TRUE(in_own || names[0] == "--help") << joined(subcommand) << " " << names[0];
        }
    }
}

TEST(CommandLine, TheManPagesSynopsisHasEverySubcommand) {
    const std::string synopsis = section(page(), "# SYNOPSIS");
    for (const auto& name : help_of({}).subcommands)
        EXPECT_NE(synopsis.find("*sf-gluster " + name + "*"), std::string::npos) << name;
}

TEST(CommandLine, BashCompletesTheOptionsOfEverySubcommandAndNoOthers) {
    for (const auto& subcommand : all_subcommands()) {
        std::set<std::string> there;
        for (const auto& names : help_of(subcommand).options)
            there.insert(names.begin(), names.end());
        Words words = subcommand;
        words.push_back("--");
        const auto offered = completed(words);
        EXPECT_EQ(std::set<std::string>(offered.begin(), offered.end()), there)
            << joined(subcommand);
    }
}

TEST(CommandLine, BashCompletesSubcommands) {
    for (const auto& subcommand : all_subcommands()) {
        Words words = subcommand;
        words.push_back("");
        const auto there = help_of(subcommand).subcommands;
        if (there.empty()) continue;
        const auto offered = completed(words);
        for (const auto& name : there)
            EXPECT_EQ(std::count(offered.begin(), offered.end(), name), 1) << name;
    }
    EXPECT_EQ(completed({"rew"}), Words{"rewrite"});
    EXPECT_EQ(completed({"template", "d"}), (Words{"disk", "domain"}));
    EXPECT_EQ(completed({"rewrite", ""}), Words{});
}

TEST(CommandLine, BashCompletesValues) {
    EXPECT_EQ(completed({"rewrite", "--to", ""}), (Words{"network", "file", "auto"}));
    EXPECT_EQ(completed({"rewrite", "--to", "=", "f"}), Words{"file"});
    EXPECT_EQ(completed({"rewrite", "--to", "="}), (Words{"network", "file", "auto"}));
    EXPECT_EQ(completed({"template", "disk", "--access", ""}), (Words{"network", "file"}));
    EXPECT_EQ(completed({"template", "volume", "--base-format", "q"}), Words{"qcow2"});
    EXPECT_EQ(completed({"template", "domain", "--type", ""}), (Words{"kvm", "qemu"}));
    EXPECT_EQ(completed({"template", "domain", "--name", ""}), Words{});
    EXPECT_EQ(completed({"rewrite", "--config", SFG_SOURCE_DIR "/READ"}),
              Words{SFG_SOURCE_DIR "/README.md"});
    EXPECT_EQ(completed({"template", "disk", "--templates", SFG_SOURCE_DIR "/xml"}),
              Words{SFG_SOURCE_DIR "/xml-templates"});
}

TEST(CommandLine, BashCompletesNamesOfGuests) {
    const std::string virsh =
        "virsh() { [ \"$*\" = 'list --all --name' ] && printf '%s\\n' 'web 1' web2 db ''; }";
    EXPECT_EQ(completed({"convert", "w"}, virsh), (Words{"web\\ 1", "web2"}));
    EXPECT_EQ(completed({"convert", "--to", "file", "db", ""}, virsh),
              (Words{"web\\ 1", "web2", "db"}));
    EXPECT_EQ(completed({"convert", "w"}, "virsh() { return 1; }"), Words{});
}

TEST(CommandLine, WhatCannotBeRightEndsWithStatus2) {
    const std::string program = SFG_COMMAND, templates = SFG_SOURCE_DIR "/xml-templates";
    for (const Words& words : std::vector<Words>{{},
                                                 {"nonsense"},
                                                 {"template"},
                                                 {"template", "nonsense"},
                                                 {"template", "pool", "--access", "both"},
                                                 {"template", "pool", "x"}}) {
        Words command{program};
        command.insert(command.end(), words.begin(), words.end());
        EXPECT_EQ(run(command).status, 2) << joined(words);
    }
    const Ran ran = run({program, "template", "pool", "--volume", "a", "--templates", templates});
    EXPECT_EQ(ran.status, 2);
    EXPECT_EQ(ran.output, "sf-gluster: --host must be given: a server of the gluster volume\n");
}

TEST(CommandLine, TemplatesThatAreNotThereAreAFailure) {
    const auto failure = [](const std::string& templates) {
        const Ran ran = run({SFG_COMMAND, "template", "pool", "--volume", "a", "--host", "b",
                             "--templates", templates});
        EXPECT_EQ(ran.status, 1);
        return ran.output;
    };
    EXPECT_EQ(failure("/nonexistent"),
              "sf-gluster: cannot read /nonexistent/gluster-pool.xml: No such file or directory\n");
    const std::string folder =
        testing::TempDir() + "sf-gluster-templates-" + std::to_string(getpid());
    const std::string file = folder + "/gluster-pool.xml";
    const std::string nothing = "sf-gluster: there is no template in " + file + "\n";
    std::filesystem::create_directories(file);
    EXPECT_EQ(failure(folder), nothing);
    std::filesystem::remove(file);
    std::ofstream(file).close();
    EXPECT_EQ(failure(folder), nothing);
    std::filesystem::remove_all(folder);
}

TEST(CommandLine, ADocumentIsWritten) {
    const Ran ran =
        run({SFG_COMMAND, "template", "disk", "--image", "a/b", "--volume", "v", "--host", "sf-1",
             "--host", "sf-2", "--templates", SFG_SOURCE_DIR "/xml-templates"});
    EXPECT_TRUE(ran.ok());
    EXPECT_EQ(ran.output,
              "<disk type='network' device='disk'>\n"
              "  <driver name='qemu' type='qcow2' cache='none' io='native'/>\n"
              "  <source protocol='gluster' name='v/a/b'>\n"
              "    <host name='sf-1' port='24007'/>\n"
              "    <host name='sf-2' port='24007'/>\n"
              "  </source>\n"
              "  <target dev='vda' bus='virtio'/>\n"
              "</disk>\n");
}

}  // namespace
}  // namespace sfg::test
