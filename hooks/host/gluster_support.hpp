// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace sfg::hooks {

// Whether an emulator can open gluster disks.
struct GlusterSupport {
    enum class Answer {
        yes,
        no,
        unknown,  // it was not asked, or did not say
    };
    Answer answer = Answer::unknown;
    std::string version;  // of qemu, "7.2.22"; with `no` only
    std::string why;      // with `unknown`
};

// Asks the emulator at `path`. Its lists of drivers cannot be believed: qemu prints "gluster" where
// the module with the driver is missing or broken. So it is told to open an image, without a guest,
// by a socket that is not there; what it complains of tells. It is asked only if it is a program
// that root alone can have put there (trusted_program), as an unprivileged user.
//
// Takes 30 ms or so, once: root keeps the answer in /run/sf-gluster/emulators until the emulator,
// its modules or the libraries that ld.so knows change.
GlusterSupport gluster_support(const std::string& path);

// What the emulator's complaint says; for tests.
GlusterSupport::Answer read_complaint(const std::string& said);

// The version in what `EMULATOR --version` prints; "" where there is none.
std::string read_version(const std::string& said);

// What a person can do about an emulator of that version without the driver, as the end of a
// sentence: "install the package qemu-block-extra". `os_release` is the text of os-release(5).
// Empty where nothing helps: QEMU 11.1 has removed the driver.
std::string driver_package(const std::string& version, const std::string& os_release);

}  // namespace sfg::hooks
