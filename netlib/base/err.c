// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -errnum;
	e->code = code;
	e->details[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -errnum;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int errnum = errno;
	size_t used;
	va_list ap;

	if (!e)
		return -errnum;
	e->code = ERR_IO;
	e->details[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	used = strlen(e->msg);
	snprintf(e->msg + used, sizeof(e->msg) - used, ": %s",
		 strerror(errnum));
	return -errnum;
}

void err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->msg)];
	size_t used;
	va_list ap;

	if (!e)
		return;
	memcpy(inner, e->msg, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	used = strlen(e->msg);
	snprintf(e->msg + used, sizeof(e->msg) - used, ": %s", inner);
}

void err_join(struct err *e, const struct err *other)
{
	size_t used;

	if (!e)
		return;
	if (!*e->msg) {
		*e = *other;
		return;
	}
	used = strlen(e->msg);
	snprintf(e->msg + used, sizeof(e->msg) - used, "; %s", other->msg);
}

void err_details(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(e->details, sizeof(e->details), fmt, ap);
	va_end(ap);
}

int err_oom(struct err *e)
{
	return err_set(e, ERR_IO, ENOMEM, "out of memory");
}
