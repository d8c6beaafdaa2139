/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <config.h>

#include "driver/libvirt/report.h"

#include "internal.h"
#include "virerror.h"
#include "virlog.h"

#define VIR_FROM_THIS VIR_FROM_STORAGE

VIR_LOG_INIT("storage.sf_gluster");

void sfg_report(const struct sfg_error *error) {
    int code = VIR_ERR_OPERATION_FAILED;

    switch (error->kind) {
    case SFG_ERROR_NOT_FOUND:
        code = VIR_ERR_NO_STORAGE_VOL;
        break;
    case SFG_ERROR_POOL_MISSING:
        code = VIR_ERR_OPERATION_FAILED;
        break;
    case SFG_ERROR_EXISTS:
        code = VIR_ERR_STORAGE_VOL_EXIST;
        break;
    case SFG_ERROR_INVALID:
        code = VIR_ERR_INVALID_ARG;
        break;
    case SFG_ERROR_UNSUPPORTED:
        code = VIR_ERR_CONFIG_UNSUPPORTED;
        break;
    case SFG_ERROR_BUSY:
        code = VIR_ERR_RESOURCE_BUSY;
        break;
    case SFG_ERROR_CORRUPT:
        code = VIR_ERR_OPERATION_FAILED;
        break;
    case SFG_ERROR_DENIED:
    case SFG_ERROR_NO_SPACE:
    case SFG_ERROR_NOT_CONNECTED:
    case SFG_ERROR_IO:
        if (error->system_errno != 0) {
            /* Not virReportSystemError, which would put the errno's text behind ours again. */
            virRaiseErrorFull(__FILE__, __func__, __LINE__, VIR_FROM_THIS, VIR_ERR_SYSTEM_ERROR,
                              VIR_ERR_ERROR, error->message, NULL, NULL, error->system_errno, -1,
                              "%s", error->message);
            return;
        }
        break;
    }
    virReportErrorHelper(VIR_FROM_THIS, code, __FILE__, __func__, __LINE__, "%s", error->message);
}

void sfg_log_line(enum sfg_log_level level, const char *message) {
    switch (level) {
    case SFG_LOG_DEBUG:
        VIR_DEBUG("%s", message);
        break;
    case SFG_LOG_INFO:
        VIR_INFO("%s", message);
        break;
    case SFG_LOG_WARNING:
        VIR_WARN("%s", message);
        break;
    case SFG_LOG_ERROR:
        VIR_ERROR("%s", message);
        break;
    }
}
