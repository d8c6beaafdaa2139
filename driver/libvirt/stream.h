/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "internal.h"

/* Makes `stream` one of libvirt's FDStreams that watches `descriptor` and takes and gives its bytes
 * through the contract's sfg_stream_ functions, under its own address. Takes over the descriptor.
 * After a failure, which is reported, the contract's stream is over. */
int sfg_stream_attach(virStreamPtr stream, int descriptor);
