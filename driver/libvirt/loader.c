/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The modules that libvirt opens as libvirt_storage_backend_gluster.so and
 * libvirt_storage_file_gluster.so: this file, compiled once for each (SFG_LOADER_FILE).
 *
 * A module that cannot be opened, or whose register function fails, stops all of libvirtd
 * (virmodule.c, virModuleLoad; storage_backend.c), or guests on local disks too
 * (storage_file_backend.c). So this one needs nothing that could be missing: its only symbol of
 * libvirt is the public virGetVersion. It opens the ABI module that was built for the running
 * libvirt, else the distribution's own module, which packaging has moved aside, else it registers
 * nothing (gluster is then unknown to this libvirt), and always returns 0.
 *
 *   <libdir>/libvirt/storage-backend/libvirt_storage_backend_gluster.so   this file
 *   <libdir>/libvirt/storage-file/libvirt_storage_file_gluster.so         this file
 *   <libdir>/sf-gluster/abi-9.0.0-backend.so, abi-9.0.0-file.so           a pair a libvirt version
 *   <libdir>/sf-gluster/stock/libvirt_storage_*_gluster.so                the distribution's
 *
 * What it did goes to standard error, the journal for a daemon: the loader cannot reach VIR_LOG.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/libvirt/abi.h"

/* From libvirt.so's public interface; declared here so that no header of a version is needed. */
extern int virGetVersion(unsigned long *libVer, const char *type, unsigned long *typeVer);

#ifdef SFG_LOADER_FILE
# define REGISTER virStorageFileGlusterRegister
# define STOCK_REGISTER "virStorageFileGlusterRegister"
# define STOCK_MODULE "stock/libvirt_storage_file_gluster.so"
# define ABI_REGISTER SFG_ABI_STORAGE_FILE
# define ABI_SUFFIX "-file.so"
# define SERVED "gluster disks of guests"
#else
# define REGISTER virStorageBackendGlusterRegister
# define STOCK_REGISTER "virStorageBackendGlusterRegister"
# define STOCK_MODULE "stock/libvirt_storage_backend_gluster.so"
# define ABI_REGISTER SFG_ABI_STORAGE_BACKEND
# define ABI_SUFFIX "-backend.so"
# define SERVED "gluster pools"
#endif

__attribute__((visibility("default"))) int REGISTER(void);

/* <libdir>/sf-gluster, beside the folder that this module really lies in. */
static int module_directory(char *directory, size_t size) {
    Dl_info self;
    char path[PATH_MAX];

    if (dladdr((void *)(unsigned long)&REGISTER, &self) == 0 ||
        self.dli_fname == NULL || realpath(self.dli_fname, path) == NULL)
        return -1;
    /* .../libvirt/storage-backend/module.so: three steps up, likewise from storage-file. */
    for (int step = 0; step < 3; ++step) {
        char *slash = strrchr(path, '/');
        if (slash == NULL) return -1;
        *slash = '\0';
    }
    return snprintf(directory, size, "%s/sf-gluster", path) < (int)size ? 0 : -1;
}

/* Registers from the ABI module for `version`. Returns 0, or -1 with the reason. */
static int register_ours(const char *directory, const char *version, char *reason,
                         size_t reason_size) {
    char path[PATH_MAX];
    void *module;
    sfg_abi_register function;

    if (snprintf(path, sizeof(path), "%s/" SFG_ABI_PREFIX "%s" ABI_SUFFIX, directory, version) >=
        (int)sizeof(path)) {
        snprintf(reason, reason_size, "the path of its module is too long");
        return -1;
    }
    if (access(path, F_OK) != 0) {
        snprintf(reason, reason_size, "there is no %s", path);
        return -1;
    }
    /* RTLD_LOCAL: libvirt opens its modules globally, and gluster's symbols are many. The handle is
     * never closed: libvirt keeps pointers into the module, and gluster threads run in it. */
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        snprintf(reason, reason_size, "%s", dlerror());
        return -1;
    }
    function = (sfg_abi_register)dlsym(module, ABI_REGISTER);
    if (function == NULL) {
        snprintf(reason, reason_size, "%s", dlerror());
        return -1;
    }
    return function(reason, reason_size);
}

static int register_stock(const char *directory, char *reason, size_t reason_size) {
    char path[PATH_MAX];
    void *module;
    int (*function)(void);

    if (snprintf(path, sizeof(path), "%s/" STOCK_MODULE, directory) >= (int)sizeof(path)) {
        snprintf(reason, reason_size, "the path of the stock module is too long");
        return -1;
    }
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        snprintf(reason, reason_size, "%s", dlerror());
        return -1;
    }
    function = (int (*)(void))dlsym(module, STOCK_REGISTER);
    if (function == NULL) {
        snprintf(reason, reason_size, "%s", dlerror());
        return -1;
    }
    if (function() < 0) {
        snprintf(reason, reason_size, "the stock module did not register");
        return -1;
    }
    return 0;
}

int REGISTER(void) {
    unsigned long number = 0;
    char version[64] = "unknown";
    char directory[PATH_MAX] = "";
    char ours[PATH_MAX + 64] = "";
    char stock[PATH_MAX + 64] = "";

    if (virGetVersion(&number, NULL, NULL) == 0)
        snprintf(version, sizeof(version), "%lu.%lu.%lu", number / 1000000,
                 number / 1000 % 1000, number % 1000);

    if (module_directory(directory, sizeof(directory)) < 0)
        snprintf(ours, sizeof(ours), "its own place could not be found");
    else if (register_ours(directory, version, ours, sizeof(ours)) == 0) {
        /* virt-aa-helper opens it at each start of a guest. */
        if (strcmp(program_invocation_short_name, "virt-aa-helper") != 0)
            fprintf(stderr,
                    "sf-gluster: " SERVED " are served by " SFG_ABI_PREFIX "%s" ABI_SUFFIX "\n",
                    version);
        return 0;
    }

    if (directory[0] == '\0') {
        snprintf(stock, sizeof(stock), "its place is not known");
    } else if (register_stock(directory, stock, sizeof(stock)) == 0) {
        fprintf(stderr,
                "sf-gluster: " SERVED " are served by libvirt's stock module, as sf-gluster "
                "cannot run in libvirt %s: %s\n",
                version, ours);
        return 0;
    }
    fprintf(stderr,
            "sf-gluster: there are no " SERVED " in this process: sf-gluster cannot run in "
            "libvirt %s: %s; and the stock module cannot either: %s\n",
            version, ours, stock);
    return 0;
}
