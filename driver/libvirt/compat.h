/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The differences between the libvirt versions that this is built for, all of them. The private
 * headers of one version are compiled into one ABI module; SFG_LIBVIRT_VERSION (such as 9000000
 * for 9.0.0) says which.
 */

#if !defined(SFG_LIBVIRT_VERSION)
# error "SFG_LIBVIRT_VERSION is to be set by the build"
#endif

/* Renamed in 9.0.0 (libvirt commits of December 2022, "conf: rename ...DefParseString"). */
#if SFG_LIBVIRT_VERSION >= 9000000
# define SFG_PARSE_POOL(xml) virStoragePoolDefParse((xml), NULL, 0)
# define SFG_PARSE_VOLUME(pool, xml) virStorageVolDefParse((pool), (xml), NULL, 0)
#else
# define SFG_PARSE_POOL(xml) virStoragePoolDefParseString((xml), 0)
# define SFG_PARSE_VOLUME(pool, xml) virStorageVolDefParseString((pool), (xml), 0)
#endif

/* extended_l2 came with 8.0.0; before it the bit is in no request. */
#if SFG_LIBVIRT_VERSION >= 8000000
# define SFG_HAVE_EXTENDED_L2 1
#else
# define SFG_HAVE_EXTENDED_L2 0
#endif
