/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * Lets libvirt parse known documents and reads the fields back at the offsets that this module was
 * compiled with. Returns 0 where all agree, else -1 and which field does not in `reason`.
 *
 * Nothing that it reads can fault: memory is fetched with process_vm_readv, so a pointer that is
 * none shows as a mismatch.
 */
int sfg_layout_selftest(char *reason, size_t reason_size);
