// SPDX-License-Identifier: GPL-2.0-or-later
/* Versions of the CNI specification. */
#pragma once

#include <stdbool.h>

#define CNI_VERSION_CURRENT "1.1.0"
#define CNI_VERSION_DEFAULT "0.1.0" /* what a missing cniVersion means */

/* Every version we speak, oldest first, NULL at the end. */
extern const char *const cni_versions[];

bool cni_version_supported(const char *version);

/* Whether @version is @least or newer; false for what is not a version. */
bool cni_version_at_least(const char *version, const char *least);

/* 0, or -EINVAL when @version is not up to three numbers between dots. */
int cni_version_check_syntax(const char *version);
