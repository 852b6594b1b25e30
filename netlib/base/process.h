// SPDX-License-Identifier: GPL-2.0-or-later
/* Another program, run to its end. Its stdin is a file in memory: unlike a pipe
 * it takes all of the input at once, so that nobody has to write and read at the
 * same time. So is its stderr. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct process {
	const char *const
		*argv;	  /* the first a path, or a name to find in PATH */
	char *const *env; /* NULL: our own */
	const char *input;
	size_t input_len;
	size_t output_max;
};

struct process_result {
	char *output, *log; /* stdout and stderr, NUL-terminated */
	size_t output_len, log_len;
	int status; /* as waitpid() tells it; 0 is success */
};

/* Run it and wait. -ENOENT when there is no such program, -EFBIG when it has
 * written more than .output_max. The caller releases *@ret. */
int process_run(const struct process *process, struct process_result *ret,
		struct err *e);

void process_result_done(struct process_result *result);

static inline void process_result_done_cleanup(struct process_result *result)
{
	process_result_done(result);
}

#define _process_result_ cleanup(process_result_done)
