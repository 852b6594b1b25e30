// SPDX-License-Identifier: GPL-2.0-or-later
/* What every unit test needs: cmocka with the headers it wants before it, and
 * a directory of the test's own, which vanishes afterwards. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/json.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* Run the test functions of the array @tests; main()'s value. */
#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

/* A test that finds the path of its own directory in *state. */
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

static inline int dir_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;

	if (asprintf(&path, "%s/hawser-unit.XXXXXX", tmp ? tmp : "/tmp") < 0)
		return -1;
	*state = path;
	return mkdtemp(path) ? 0 : -1;
}

static inline int dir_remove(const char *path, const struct stat *st, int type,
			     struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int dir_teardown(void **state)
{
	int r = nftw(*state, dir_remove, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return r;
}

/* "dir/name" in a buffer that lives to the end of the caller's block. */
#define PATH(dir, name) \
	(path_join((char[PATH_MAX]){ 0 }, (const char *)(dir), name))

static inline const char *path_join(char *buf, const char *dir,
				    const char *name)
{
	assert_true(snprintf(buf, PATH_MAX, "%s/%s", dir, name) < PATH_MAX);
	return buf;
}

static inline void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void assert_file(const char *path, const char *expected)
{
	char text[8192];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static inline void assert_missing(const char *path)
{
	assert_int_equal(access(path, F_OK), -1);
}

static inline cJSON *parse_json(const char *text)
{
	struct err e = { 0 };
	cJSON *doc = NULL;

	if (json_parse(text, strlen(text), &doc, &e))
		fail_msg("%s: %s", text, e.msg);
	return doc;
}

static inline struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	if (ip_parse(text, &a))
		fail_msg("\"%s\" is no address", text);
	return a;
}

static inline struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	if (prefix_parse(text, &p))
		fail_msg("\"%s\" is no prefix", text);
	return p;
}

static inline void assert_ip(const struct ip_addr *a, const char *expected)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_text(a, text), expected);
}

static inline void assert_prefix(const struct ip_prefix *p,
				 const char *expected)
{
	char text[PREFIX_TEXT_MAX];

	assert_string_equal(prefix_text(p, text), expected);
}
