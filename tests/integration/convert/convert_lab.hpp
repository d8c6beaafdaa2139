// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "driver/convert/convert.hpp"
#include "tests/support/lab.hpp"

namespace sfg::test {

// Of a file on a FUSE mount.
std::string gfid_of(const std::string& path);

// Conversions in the lab's gluster volume. Files are made and compared over a FUSE mount of the
// lab's, in a directory of the test's own.
class ConvertTest : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    // Where the FUSE mount shows `path` of the test's directory.
    std::string seen(const std::string& path, const std::string& volume = {}) const;
    // qemu-img with these words, in the test's directory; the test fails when it does.
    void qemu_img(const std::string& words, const std::string& volume = {});
    void in_shell(const std::string& command, const std::string& volume = {});
    // Random data at several places of a raw file.
    void make_raw(const std::string& path, const std::string& size, const std::string& volume = {});
    // An empty file, as the driver makes its temporaries: root's alone.
    void make_empty(const std::string& path, const std::string& volume = {});

    // A file in one of the two volumes (0: the lab's own), with its gfid.
    ConvertFile file(const std::string& path, std::size_t volume = 0) const;
    // With both volumes' addresses where `volumes` is 2.
    ConvertJob job(std::size_t volumes = 1);
    // From one image in the lab's volume to an empty file there, which this makes.
    ConvertJob simple_job(const std::string& source_format, const std::string& source,
                          const std::string& target_format, const std::string& target);

    // Runs it with the helper that was built.
    Result<void> convert(const ConvertJob& job, std::stop_token stop = {});
    void expect_converted(const ConvertJob& job);
    Error expect_refused(const ConvertJob& job);
    // That both show the same.
    void expect_same(const std::string& format, const std::string& path,
                     const std::string& other_format, const std::string& other_path,
                     const std::string& volume = {}, const std::string& other_volume = {});

    // A script in the place of qemu-img. `convert` is what it does for `qemu-img convert`; all
    // else goes to the real one.
    void replace_qemu_img(const std::string& convert);

    std::string second_volume();

    Lab& lab_ = Lab::instance();
    ConvertTools tools_;
    std::vector<double> percents_;
    std::string directory_;  // below the volumes' roots
    std::string local_;      // on this host, for files of the test
};

// Processes, for seeing that none is left.
class ProcessTree {
  public:
    // `root` and all that it has started, and so on, as they are now.
    static ProcessTree of(pid_t root);

    std::size_t size() const { return started_.size(); }
    // One whose command line begins with `program`; -1 where there is none.
    pid_t find(const std::string& program) const;
    // Whether none is left. Numbers that were given anew do not count.
    bool all_gone() const;
    // What is left, for messages.
    std::string left() const;

  private:
    std::map<pid_t, std::string> started_;  // with when it was started
};

// Children of this process.
std::vector<pid_t> children_of(pid_t parent);

// All of a file.
std::string text_of(const std::string& path);

// Processes that see a mount of the helper's.
std::vector<pid_t> who_sees_mounts();

}  // namespace sfg::test
