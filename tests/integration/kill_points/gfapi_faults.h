/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A library that stands between a program and gfapi: it counts the calls that reach gluster and,
 * at one of them, kills or stops the process or makes the call fail. Linked before gfapi, or
 * preloaded.
 *
 * Calls that only handle memory of this process (glfs_h_close, glfs_object_copy, ...) are passed
 * by: a kill there leaves what a kill at the neighbouring call leaves.
 *
 * GFAPI_TRACE=FILE in the environment: a line is added for each call, its number, name and
 * microseconds.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum gfapi_fault {
    GFAPI_NO_FAULT,
    GFAPI_KILL_BEFORE, /* SIGKILL before the call is made, which is also after the one before it */
    GFAPI_KILL_DURING, /* SIGKILL a moment after it was begun, before its answer is seen */
    GFAPI_FAIL,        /* it is not made and fails */
    GFAPI_LOSE_ANSWER, /* it is made and fails all the same */
    GFAPI_OUTAGE,      /* it is not made and fails, and so do all later ones */
    GFAPI_STOP,        /* SIGSTOP before it is made: somebody else does something, then SIGCONT */
    GFAPI_HOLD,        /* only its thread waits, called "held" meanwhile, until SIGUSR1: gluster's
                          client goes on and can connect anew */
};

/* Begins to count anew; the `at`th call from now on, counted from 1, meets the fault. `error` is
 * the errno of one that fails. */
void gfapi_fault_plan(enum gfapi_fault fault, long at, int error);

/* Calls since then. */
long gfapi_fault_calls(void);

/* The call that met the fault first; empty: none has. */
const char* gfapi_fault_met(void);

#ifdef __cplusplus
}
#endif
