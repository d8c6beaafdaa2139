/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copies between libvirt's structs and those of contract.h, and nothing else. */

#include "driver/libvirt/contract.h"
#include "storage_conf.h"

/* A pool as the contract wants it; `servers` is freed with g_free by the caller. The strings are
 * libvirt's. */
struct sfg_pool sfg_pool_from_libvirt(const virStoragePoolDef *def, struct sfg_server **servers);

/* The strings are libvirt's. */
struct sfg_request sfg_request_from_libvirt(const virStorageVolDef *def, unsigned int flags);

/* Fills `def`, whose name is set, with what was seen; earlier values are freed. Returns 0, or -1
 * with libvirt's error set. */
int sfg_volume_to_libvirt(const struct sfg_volume *volume, virStorageVolDef *def);
