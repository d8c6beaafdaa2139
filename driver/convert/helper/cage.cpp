// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/cage.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "driver/convert/helper/namespaces.hpp"
#include "driver/convert/qemu_output.hpp"
#include "driver/core/log.hpp"

namespace sfg {
namespace {

// What the child exits with when it could not become the program; it has said why on its standard
// error.
constexpr int kNoCage = 125;

// In the child: says why and ends it.
[[noreturn]] void give_up(const char* what, const std::string& of = {}) {
    const std::string line =
        std::string("cannot ") + what + (of.empty() ? "" : " " + of) + ": " + errno_text(errno);
    [[maybe_unused]] const auto written = write(2, line.data(), line.size());
    _exit(kNoCage);
}

bool become(const CageUser& user) {
    return setgroups(user.groups.size(), user.groups.data()) == 0 &&
           setresgid(user.gid, user.gid, user.gid) == 0 &&
           setresuid(user.uid, user.uid, user.uid) == 0;
}

std::optional<CageUser> look_up(const std::string& name) {
    const struct passwd* const entry = getpwnam(name.c_str());
    if (entry == nullptr || entry->pw_uid == 0) return std::nullopt;
    CageUser user{name, entry->pw_uid, entry->pw_gid, {}};
    int count = 64;
    user.groups.resize(static_cast<std::size_t>(count));
    if (getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0) return std::nullopt;
    user.groups.resize(static_cast<std::size_t>(count));
    return user;
}

void bind_read_only(const char* from, const std::string& to, unsigned long more) {
    if (mount(from, to.c_str(), nullptr, MS_BIND, nullptr) != 0) give_up("bind", from);
    // A remount may only add to what the file system is mounted with.
    struct statvfs status {};
    if (statvfs(to.c_str(), &status) != 0) give_up("look at", from);
    unsigned long kept = 0;
    if ((status.f_flag & ST_NOEXEC) != 0) kept |= MS_NOEXEC;
    if ((status.f_flag & ST_NOATIME) != 0) kept |= MS_NOATIME;
    if ((status.f_flag & ST_NODIRATIME) != 0) kept |= MS_NODIRATIME;
    if ((status.f_flag & ST_RELATIME) != 0) kept |= MS_RELATIME;
    if ((status.f_flag & ST_NODEV) != 0) kept |= MS_NODEV;
    if (mount(nullptr, to.c_str(), nullptr,
              MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | more | kept, nullptr) != 0)
        give_up("protect", from);
}

void bind_file(const char* from, const std::string& to, unsigned long more) {
    const int fd = open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) give_up("make", to);
    close(fd);
    bind_read_only(from, to, more);
}

// qemu finds its modules by its own place, so it keeps it where /usr is.
std::string program_inside(const Cage& cage) {
    return cage.program.starts_with("/usr/") ? cage.program : "/qemu-img";
}

// In the child: a root with nothing of the host's but its programs and libraries.
void build_root(const Cage& cage) {
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        give_up("make mounts private");
    const std::string root = cage.scratch;
    if (mount("cage", root.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") != 0)
        give_up("mount a tmpfs");
    for (const char* const name :
         {"/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"}) {
        struct stat status {};
        if (lstat(name, &status) != 0) continue;
        const std::string inside = root + name;
        if (S_ISLNK(status.st_mode)) {
            std::array<char, 256> target{};
            if (readlink(name, target.data(), target.size() - 1) < 0 ||
                symlink(target.data(), inside.c_str()) != 0)
                give_up("make the link", name);
        } else {
            if (mkdir(inside.c_str(), 0755) != 0) give_up("make", inside);
            bind_read_only(name, inside, MS_NODEV);
        }
    }
    for (const char* const name : {"/etc", "/dev", "/proc"})
        if (mkdir((root + name).c_str(), 0755) != 0) give_up("make", root + name);
    if (access("/etc/ld.so.cache", R_OK) == 0)
        bind_file("/etc/ld.so.cache", root + "/etc/ld.so.cache", MS_NODEV);
    if (access("/etc/alternatives", R_OK) == 0) {
        if (mkdir((root + "/etc/alternatives").c_str(), 0755) != 0) give_up("make", "alternatives");
        bind_read_only("/etc/alternatives", root + "/etc/alternatives", MS_NODEV);
    }
    bind_file("/dev/null", root + "/dev/null", 0);
    bind_file("/dev/urandom", root + "/dev/urandom", 0);
    if (program_inside(cage) != cage.program)
        bind_file(cage.program.c_str(), root + program_inside(cage), MS_NODEV);
    // Read-only: root may write to most of /proc/sys without a capability. Kernels before 5.8 do
    // not know the options.
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
    const std::string proc = root + "/proc";
    if (mount("proc", proc.c_str(), "proc", flags, "subset=pid,hidepid=ptraceable") != 0 &&
        mount("proc", proc.c_str(), "proc", flags, nullptr) != 0)
        give_up("mount /proc");

    // The old root goes on top of the new one, from where it is taken away (pivot_root(2)).
    if (chdir(root.c_str()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) give_up("change root");
    if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) give_up("leave the host's root");
    if (mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
              nullptr) != 0)
        give_up("protect the root");
}

void limit(__rlimit_resource_t what, std::uint64_t value, const char* name) {
    const struct rlimit both { value, value };
    if (setrlimit(what, &both) != 0) give_up("set the limit", name);
}

// In the child, root still.
void drop_privileges(const std::optional<CageUser>& user) {
    constexpr unsigned kKept = (1U << CAP_DAC_OVERRIDE) | (1U << CAP_DAC_READ_SEARCH);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if (!user && capability < 32 && (kKept & (1U << capability)) != 0) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) give_up("drop capabilities");
    }
    if (user) {
        if (!become(*user)) give_up("become", user->name);
    } else {
        if (!become(CageUser{"root", 0, 0, {}})) give_up("become", "root without groups");
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        std::array<__user_cap_data_struct, 2> data{};
        data[0].effective = data[0].permitted = kKept;
        if (syscall(SYS_capset, &header, data.data()) != 0) give_up("drop capabilities");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("give up privileges");
}

[[noreturn]] void become_program(const Cage& cage, const std::vector<std::string>& words, int out,
                                 int err) {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(err, 2);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0) give_up("set up standard output");
    build_root(cage);

    setsid();
    umask(077);
    // Conversions are no hurry beside guests.
    if (setpriority(PRIO_PROCESS, 0, 5) != 0) give_up("be nice");
    limit(RLIMIT_CORE, 0, "core");
    limit(RLIMIT_NOFILE, 256 + 4 * cage.files.size(), "open files");
    limit(RLIMIT_CPU, cage.cpu_seconds, "processor time");
    limit(RLIMIT_AS, cage.memory_bytes, "memory");
    // All others close at exec.
    for (const OpenFile* const file : cage.files)
        if (fcntl(file->fd.get(), F_SETFD, 0) != 0) give_up("hand over", file->name);

    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char locale[] = "LC_ALL=C";
    // Else malloc reserves 64 MiB for each of up to 64 threads, which count for RLIMIT_AS.
    char arenas[] = "MALLOC_ARENA_MAX=2";
    char* environment[] = {locale, arenas, nullptr};
    drop_privileges(cage.user);
    execve(program_inside(cage).c_str(), arguments.data(), environment);
    give_up("run", cage.program);
}

// Bytes that the process has read and written, page cache included; 0 where that is not counted.
std::uint64_t bytes_moved(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/io");
    std::uint64_t sum = 0;
    std::string name;
    for (std::uint64_t value = 0; file >> name >> value;)
        if (name == "rchar:" || name == "wchar:") sum += value;
    return sum;
}

}  // namespace

std::optional<CageUser> find_user(const std::vector<std::string>& names,
                                  const std::vector<const OpenFile*>& files) {
    for (const auto& name : names) {
        const auto user = look_up(name);
        if (!user) continue;
        const pid_t pid = fork();
        if (pid < 0) return std::nullopt;
        if (pid == 0) {
            if (!become(*user)) _exit(1);
            for (const OpenFile* const file : files) {
                const int flags = O_CLOEXEC | O_NONBLOCK | (file->writing ? O_RDWR : O_RDONLY);
                if (open(file->descriptor_path().c_str(), flags) < 0) _exit(1);
            }
            _exit(0);
        }
        int status = -1;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (status == 0) return user;
    }
    return std::nullopt;
}

Result<CagedRun> run_caged(const Cage& cage, const std::vector<std::string>& arguments,
                           const std::function<void(std::string_view)>& output,
                           const std::function<void()>& alive) {
    constexpr std::size_t kOutput = 65536;
    int out[2];
    int err[2];
    if (pipe2(out, O_CLOEXEC) != 0) return Error::from_errno(errno, "cannot make a pipe");
    Fd out_from(out[0]);
    Fd out_to(out[1]);
    if (pipe2(err, O_CLOEXEC) != 0) return Error::from_errno(errno, "cannot make a pipe");
    Fd err_from(err[0]);
    Fd err_to(err[1]);

    const pid_t pid = fork_into(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC);
    if (pid < 0) return Error::from_errno(errno, "cannot make the cage of qemu-img");
    if (pid == 0) become_program(cage, arguments, out_to.get(), err_to.get());
    out_to.reset();
    err_to.reset();

    CagedRun run;
    OutputTail tail;
    std::uint64_t moved = 0;
    std::array<char, 4096> buffer;
    while (out_from.ok() || err_from.ok()) {
        std::array<pollfd, 2> polled{pollfd{out_from.get(), POLLIN, 0},
                                     pollfd{err_from.get(), POLLIN, 0}};
        const int ready = poll(polled.data(), polled.size(), 1000);
        if (ready < 0 && errno != EINTR) return Error::from_errno(errno, "cannot wait");
        if (const auto now = bytes_moved(pid); now != moved) {
            moved = now;
            if (ready == 0) alive();
        }
        if (ready <= 0) continue;
        if (polled[0].revents != 0) {
            const ssize_t got = read(out_from.get(), buffer.data(), buffer.size());
            if (got <= 0) {
                out_from.reset();
            } else {
                const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
                if (run.output.size() < kOutput) run.output += piece;
                output(piece);
            }
        }
        if (polled[1].revents != 0) {
            const ssize_t got = read(err_from.get(), buffer.data(), buffer.size());
            if (got <= 0)
                err_from.reset();
            else
                tail.feed({buffer.data(), static_cast<std::size_t>(got)});
        }
    }
    while (waitpid(pid, &run.status, 0) < 0 && errno == EINTR) {
    }
    run.errors = tail.text();
    if (WIFEXITED(run.status) && WEXITSTATUS(run.status) == kNoCage)
        return Error(ErrorKind::io,
                     "the cage of qemu-img could not be made: " + escaped(run.errors));
    return run;
}

}  // namespace sfg
