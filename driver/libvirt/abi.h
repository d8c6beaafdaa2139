/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the loaders ask the ABI modules for, two for each libvirt version:
 *
 *   abi-9.0.0-backend.so  pools; needs libvirt's storage driver in the process
 *   abi-9.0.0-file.so     guests' disks; virtqemud and virt-aa-helper have no storage driver
 */

#define SFG_ABI_PREFIX "abi-"
#define SFG_ABI_STORAGE_BACKEND "sfg_abi_register_storage_backend"
#define SFG_ABI_STORAGE_FILE "sfg_abi_register_storage_file"

/*
 * Checks that the running libvirt lays its structs out as this module was compiled for and
 * registers the backend. Returns 0, or -1 with the reason, one line, in `reason`; nothing was
 * registered then.
 */
typedef int (*sfg_abi_register)(char *reason, unsigned long reason_size);
