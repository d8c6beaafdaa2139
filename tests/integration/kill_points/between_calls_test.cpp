// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whatever another host does between any two calls of gfapi: no image stands on a base that is not
// there, or is not what it was made on, and nothing is done to a file that was put under the name
// since.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/kill_points/operations.hpp"
#include "tests/support/command.hpp"
#include "tests/support/lab.hpp"
#include "tests/support/xml_text.hpp"

namespace sfg::test {
namespace {

// At how many calls a process is stopped when not at all of them (SFG_EVERY_CALL=1).
constexpr long kMostStops = 60;

class BetweenCalls : public FaultTest {
  protected:
    struct Case {
        std::function<void(const std::string& name)> prepare;       // what stands there before
        std::string request;                                        // NAME stands for its name
        std::function<Outcome(const std::string& name)> meanwhile;  // by the other host
        std::function<void(const std::string& name, const Outcome& request,
                           const Outcome& meanwhile)>
            check;
        gfapi_fault stop = GFAPI_STOP;
        bool slow = false;   // a stop takes seconds: the last five calls, and one before
        std::string spared;  // a call before which nothing can be said
    };

    Outcome ask(const std::string& request) { return observer().request(request); }
    void must(const std::string& request) {
        const Outcome outcome = ask(request);
        ASSERT_TRUE(outcome.ok) << request << ": " << outcome.message;
    }
    static std::string with_name(std::string text, const std::string& name) {
        for (auto at = text.find("NAME"); at != std::string::npos; at = text.find("NAME"))
            text.replace(at, 4, name);
        return text;
    }

    // Stops a process that does the request at each of its calls.
    void at_each_call(const Case& one) {
        Session session(directory());
        std::vector<long> stops{0};
        for (std::size_t next = 0; next < stops.size(); ++next) {
            const long at = stops[next];
            const std::string name = "n" + std::to_string(at);
            SCOPED_TRACE("call " + std::to_string(at));
            one.prepare(name);
            // The process knows what a host knows that has listed the pool.
            ASSERT_TRUE(session.refresh().ok);
            session.plan(at == 0 ? GFAPI_NO_FAULT : one.stop, at);
            session.begin(with_name(one.request, name));
            if (at == 0) {  // how many are there?
                const Outcome outcome = session.finish();
                ASSERT_TRUE(outcome.ok) << outcome.message;
                const long calls = session.met().calls;
                for (long call = 1; call <= calls; ++call)
                    if (is_stop(call, calls, one.slow)) stops.push_back(call);
                remove(name);
                continue;
            }
            const bool stopped = session.stops();
            Outcome meanwhile;
            if (stopped) {
                meanwhile = one.meanwhile(name);
                session.go_on();
            }
            const Outcome outcome = session.finish();
            if (!stopped) {  // it took fewer calls this time
                ASSERT_TRUE(outcome.ok) << outcome.message;
                ASSERT_GT(at, 1);
                // Nor shall a thread that only watches the bricks come to it now.
                session.go_on();
                session.plan(GFAPI_NO_FAULT, 0);
                remove(name);
                continue;
            }
            if (one.spared.empty() || session.met().name != one.spared)
                one.check(name, outcome, meanwhile);
            if (HasFatalFailure()) return;
            remove(name);
        }
    }

    static bool is_stop(long call, long calls, bool slow) {
        if (std::getenv("SFG_EVERY_CALL") != nullptr) return true;
        if (slow) return call > calls - 5 || call == calls / 2;
        return (call - 1) % (1 + (calls - 1) / kMostStops) == 0;
    }

    // The brick forgets all locks; its clients are connected again afterwards.
    void restart_brick() {
        Lab& lab = Lab::instance();
        const auto clients = [&] {
            const Ran status = lab.gluster({"volume", "status", lab.volume(), "clients", "--xml"});
            return XmlText(status.output).at("//node/clientsStatus/clientCount");
        };
        const auto before = clients();
        for (const char* action : {"kill", "start"}) {
            const Ran done = lab.call("brick", {lab.volume(), "1", action});
            ASSERT_TRUE(done.ok()) << done.output;
        }
        EXPECT_TRUE(comes_true([&] { return clients() == before; }, std::chrono::seconds(60)));
        // The brick knows of a connection a moment before its client has told itself of it.
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }

    // The same, and the brick is restarted before the other host comes. Nothing is asked of a
    // process that is held right before it removes the name: gluster has no way to remove it only
    // while a lock is held.
    Case with_forgotten_locks(Case one) {
        one.stop = GFAPI_HOLD;
        one.slow = true;
        one.spared = "glfs_h_unlink";
        one.meanwhile = [this, meanwhile = one.meanwhile](const std::string& name) {
            restart_brick();
            return meanwhile(name);
        };
        return one;
    }

    // What stays costs each later walk a call.
    void remove(const std::string& name) {
        for (const auto& file : {"ov-" + name, name}) std::filesystem::remove(fuse(file));
    }

    std::string listed_size(const std::string& name) {
        const auto volume = listing().find(name);
        return volume ? std::to_string(volume->capacity) : "none";
    }

    // The base's overlay is not there, or the base is there and is a qcow2 image of its size.
    void expect_base_and_overlay(const std::string& name) {
        const Outcome all = listing();
        if (!all.find("ov-" + name)) return;
        const auto base = all.find(name);
        ASSERT_TRUE(base) << "an overlay without its base";
        EXPECT_EQ(base->format, "qcow2");
        EXPECT_GE(base->capacity, all.find("ov-" + name)->capacity);
    }

    void prepare_base(const std::string& name) { must("create " + name + " qcow2 1048576 0 -"); }

    Case loses_base_unless_needed(const std::string& request) {
        Case one;
        one.prepare = [this](const std::string& name) { prepare_base(name); };
        one.request = request;
        one.meanwhile = [this](const std::string& name) {
            observer().refresh();
            return ask("create ov-" + name + " qcow2 1048576 0 " + name);
        };
        one.check = [this](const std::string& name, const Outcome& request_done,
                           const Outcome& overlay) {
            EXPECT_FALSE(request_done.ok && overlay.ok) << "both were told as done";
            expect_base_and_overlay(name);
        };
        return one;
    }

    // `loses` is what the other host does to the base.
    Case makes_overlay_unless_lost(const std::string& loses) {
        Case one;
        one.prepare = [this](const std::string& name) { prepare_base(name); };
        one.request = "create ov-NAME qcow2 0 0 NAME";
        one.meanwhile = [this, loses](const std::string& name) {
            observer().refresh();
            return ask(loses + name);
        };
        one.check = [this](const std::string& name, const Outcome& made, const Outcome& lost) {
            EXPECT_FALSE(made.ok && lost.ok) << "both were told as done";
            expect_base_and_overlay(name);
        };
        return one;
    }

    // The other host deletes the file and makes another of that name.
    Case spares_another_file(const std::string& request) {
        Case one;
        one.prepare = [this](const std::string& name) {
            must("create " + name + " raw 65536 0 -");
        };
        one.request = request;
        one.meanwhile = [this](const std::string& name) {
            observer().refresh();
            Outcome replaced = ask("delete " + name);
            if (!replaced.ok) return replaced;
            replaced = ask("create " + name + " raw 131072 131072 -");
            shell("printf precious | dd conv=notrunc status=none of='" + fuse(name) + "'");
            return replaced;
        };
        one.check = [this](const std::string& name, const Outcome&, const Outcome& replaced) {
            if (!replaced.ok) return;
            const Ran start = shell("head -c 8 '" + fuse(name) + "'");
            EXPECT_EQ(start.output, "precious") << "done to another file";
            EXPECT_EQ(listed_size(name), "131072");
        };
        return one;
    }
};

TEST_F(BetweenCalls, ADeletedVolumeHasNoOverlayMadeMeanwhile) {
    at_each_call(loses_base_unless_needed("delete NAME"));
}

TEST_F(BetweenCalls, AWipedVolumeHasNoOverlayMadeMeanwhile) {
    at_each_call(loses_base_unless_needed("wipe NAME"));
}

TEST_F(BetweenCalls, AShrunkVolumeHasNoOverlayMadeMeanwhile) {
    at_each_call(loses_base_unless_needed("resize NAME 524288 shrink"));
}

TEST_F(BetweenCalls, WhatIsMadeUnderTheNameMeanwhileIsNotDeleted) {
    at_each_call(spares_another_file("delete NAME"));
}

TEST_F(BetweenCalls, WhatIsMadeUnderTheNameMeanwhileIsNotWiped) {
    at_each_call(spares_another_file("wipe NAME"));
}

TEST_F(BetweenCalls, WhatIsMadeUnderTheNameMeanwhileIsNotResized) {
    at_each_call(spares_another_file("resize NAME 32768 shrink"));
}

// The base grows, or becomes a raw file, while it is about to be taken.
TEST_F(BetweenCalls, AnOverlayIsMadeOnTheBaseAsItThenIs) {
    Case one;
    one.prepare = [this](const std::string& name) { prepare_base(name); };
    one.request = "create ov-NAME qcow2 0 0 NAME";
    bool before = false;
    one.meanwhile = [&](const std::string& name) {
        before = !listing().find("ov-" + name);
        observer().refresh();
        return ask("resize " + name + " 2097152 -");
    };
    one.check = [&](const std::string& name, const Outcome& made, const Outcome& grown) {
        EXPECT_TRUE(made.ok || !before) << made.message;
        if (made.ok && grown.ok && before) {
            EXPECT_EQ(listed_size("ov-" + name), "2097152") << "what it was before it was held";
        }
        expect_base_and_overlay(name);
    };
    at_each_call(one);
}

TEST_F(BetweenCalls, AnOverlayIsMadeOnNothingThatIsWipedMeanwhile) {
    at_each_call(makes_overlay_unless_lost("wipe "));
}

TEST_F(BetweenCalls, AnOverlayIsMadeOnNothingThatIsDeletedWhenABrickHasForgottenWhoHoldsIt) {
    at_each_call(with_forgotten_locks(makes_overlay_unless_lost("delete ")));
}

TEST_F(BetweenCalls, NorOnWhatIsWipedThen) {
    at_each_call(with_forgotten_locks(makes_overlay_unless_lost("wipe ")));
}

TEST_F(BetweenCalls, NothingIsDeletedThatIsABaseSinceABrickHasForgottenWhoHoldsIt) {
    at_each_call(with_forgotten_locks(loses_base_unless_needed("delete NAME")));
}

}  // namespace
}  // namespace sfg::test
