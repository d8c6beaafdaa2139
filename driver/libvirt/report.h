/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/libvirt/contract.h"

/* Sets libvirt's error. */
void sfg_report(const struct sfg_error *error);

/* A sfg_log_sink that writes into libvirt's log. */
void sfg_log_line(enum sfg_log_level level, const char *message);
