// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One conversion inside a gluster volume, by a process that a test can kill:
//
//     convert_client HELPER QEMU-IMG HOST VOLUME FORMAT PATH GFID FORMAT PATH GFID
//
// Source, then target, which is empty. Prints a line for each percentage and how it ended.
#include <cstdio>

#include "driver/convert/convert.hpp"

int main(int count, char** words) {
    if (count != 11) return 2;
    sfg::ConvertJob job;
    job.volumes.push_back({words[4], {{words[3], 0}}});
    job.source.push_back({words[5], {0, words[6], words[7]}});
    job.target.format = words[8];
    job.target.file = {0, words[9], words[10]};
    sfg::ConvertTools tools;
    tools.helper = words[1];
    tools.qemu_img = words[2];
    const auto done = sfg::convert_image(
        job,
        [](double percent) {
            std::printf("%.2f\n", percent);
            std::fflush(stdout);
        },
        {}, tools);
    if (!done) {
        std::printf("%s\n", done.error().message().c_str());
        return 1;
    }
    std::printf("done\n");
    return 0;
}
