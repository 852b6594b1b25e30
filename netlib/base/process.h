// SPDX-License-Identifier: GPL-2.0-or-later
/* Another program: given all of its stdin at once, waited for, and what it said
 * read afterwards. Its files are in memory, so nobody waits for a pipe. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct process_result {
	char *output; /* what it wrote to stdout and stderr, NUL-terminated */
	char *log;
	int status; /* as waitpid() tells it; 0 is success */
};

/* Run @argv[0], a path or else a name looked up in PATH, with our environment.
 * -ENOENT when it is not there. The caller releases *@ret. */
int process_run(const char *const *argv, const char *input, size_t input_len,
		struct process_result *ret, struct err *e);

void process_result_done(struct process_result *result);

static inline void process_result_done_cleanup(struct process_result *result)
{
	process_result_done(result);
}

#define _process_result_ cleanup(process_result_done)
