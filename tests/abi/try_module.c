/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * usage: try_abi_module MODULE...
 *
 * Opens ABI modules as the loaders do, in a process that has what libvirtd has, and has them check
 * the layout of libvirt's structs and register. Needs no daemon and no gluster. Each module has its
 * line; the exit status is 1 when one does not fit the libvirt that is installed.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "driver/libvirt/abi.h"

/* Where libvirtd has its drivers from; the backends need the storage driver's symbols. */
#define STORAGE_DRIVER SFG_LIBDIR "/libvirt/connection-driver/libvirt_driver_storage.so"

static const char *try_module(const char *path) {
    static char reason[512];
    const char *name = strstr(path, "-file.so") ? SFG_ABI_STORAGE_FILE : SFG_ABI_STORAGE_BACKEND;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    sfg_abi_register function;

    if (module == NULL) return dlerror();
    function = (sfg_abi_register)dlsym(module, name);
    if (function == NULL) return dlerror();
    return function(reason, sizeof(reason)) == 0 ? NULL : reason;
}

int main(int count, char **arguments) {
    int status = 0;
    void *libvirt = dlopen("libvirt.so.0", RTLD_NOW | RTLD_GLOBAL);
    int (*initialize)(void) = NULL;

    if (libvirt != NULL) initialize = (int (*)(void))dlsym(libvirt, "virInitialize");
    if (initialize == NULL || dlopen(STORAGE_DRIVER, RTLD_NOW | RTLD_GLOBAL) == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    /* The errors of each thread, without which nothing else of libvirt may be called. */
    if (initialize() < 0) {
        fprintf(stderr, "libvirt cannot be initialized\n");
        return 2;
    }
    for (int i = 1; i < count; ++i) {
        const char *wrong = try_module(arguments[i]);

        printf("%s: %s\n", arguments[i], wrong ? wrong : "fits");
        if (wrong) status = 1;
    }
    return status;
}
