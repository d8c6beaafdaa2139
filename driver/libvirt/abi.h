/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the loader asks an ABI module for. Exported from abi-<libvirt version>.so.
 */

#define SFG_ABI_PREFIX "abi-"
#define SFG_ABI_STORAGE_BACKEND "sfg_abi_register_storage_backend"

/*
 * Checks that the running libvirt lays its structs out as this module was compiled for and
 * registers the backend. Returns 0, or -1 with the reason, one line, in `reason`; nothing was
 * registered then.
 */
typedef int (*sfg_abi_register)(char *reason, unsigned long reason_size);
