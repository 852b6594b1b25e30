// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An error is two things that travel together: a negative errno value, which
 * callers decide on, and a text with a code for people and runtimes, which is
 * printed once, at the top.
 *
 * The lowest function that knows the name of the thing writes the text:
 *
 *	return err_set(e, ERR_CONFIG, EINVAL, "\"mtu\": %d is too small", mtu);
 *
 * and a caller wraps it only when it adds another name. Every function here
 * accepts NULL for "I only want the errno value".
 */
#pragma once

/* The codes of the CNI specification (SPEC.md, "Error"); ours are from 100. */
enum err_code {
	ERR_VERSION = 1,	   /* incompatible CNI version */
	ERR_UNSUPPORTED = 2,	   /* unsupported field in the configuration */
	ERR_UNKNOWN_CONTAINER = 3, /* the container or namespace is not there */
	ERR_ENV = 4,		   /* a CNI_* variable is missing or invalid */
	ERR_IO = 5,		   /* kernel, file system or pipe said no */
	ERR_DECODE = 6,		   /* not JSON, or of the wrong type */
	ERR_CONFIG = 7,		   /* invalid network configuration */
	ERR_NETNS = 8,		   /* CNI_NETNS is the plugin's own (libcni) */
	ERR_TRY_AGAIN = 11,	   /* a passing condition */
	ERR_UNAVAILABLE = 50,	   /* STATUS: ADD cannot be served */
	ERR_LIMITED = 51,	   /* STATUS: and present containers suffer */
	ERR_EXISTS = 100,	   /* something stands where ours should go */
	ERR_MISMATCH = 101,	   /* CHECK: the world is not as ADD left it */
	ERR_EXHAUSTED = 102,	   /* no address left */
};

struct err {
	int code; /* enum err_code, or a delegated plugin's own code */
	char msg[1024];
	char details[256]; /* "" for none */
};

/* Fill @e; returns -@errnum. A message that does not fit is cut. */
int err_set(struct err *e, int code, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same from errno, with code ERR_IO and ": " strerror(errno) appended. */
int err_sys(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "text: " before the message there is. */
void err_wrap(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "; other" after the message there is, whose code stays; with an empty @e
 * it is @other's. */
void err_join(struct err *e, const struct err *other);

void err_details(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Out of memory, said the same way everywhere; returns -ENOMEM. */
int err_oom(struct err *e);
