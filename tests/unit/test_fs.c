// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>

#include "base/fs.h"

static void test_reads_all_of_any_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 8190, 8191, 8192, 20000 };
	const char *path = PATH(*state, "file");

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		_free_ char *expected = calloc(1, lengths[i] + 1), *text = NULL;
		struct err e;
		size_t len;

		memset(expected, 'a', lengths[i]);
		put_file(path, expected);
		assert_int_equal(fs_read_file(path, 20000, &text, &len, &e), 0);
		assert_int_equal(len, lengths[i]);
		assert_string_equal(text, expected);
	}
}

static void test_refuses_more_than_the_limit(void **state)
{
	const char *path = PATH(*state, "file");
	_free_ char *text = NULL;
	struct err e;
	size_t len;

	put_file(path, "12345");
	assert_int_equal(fs_read_file(path, 4, &text, &len, &e), -EFBIG);
	assert_null(text);
	assert_non_null(strstr(e.msg, path));
	assert_int_equal(fs_read_file(path, 5, &text, &len, &e), 0);
}

static void test_a_missing_file_is_named(void **state)
{
	const char *path = PATH(*state, "none");
	_free_ char *text = NULL;
	struct err e;
	size_t len;

	assert_int_equal(fs_read_file(path, 9, &text, &len, &e), -ENOENT);
	assert_non_null(strstr(e.msg, path));
	assert_non_null(strstr(e.msg, "No such file or directory"));
}

static void test_makes_all_directories(void **state)
{
	struct stat st;
	struct err e;

	assert_int_equal(fs_make_dirs(PATH(*state, "a/b/c"), 0700, &e), 0);
	assert_int_equal(stat(PATH(*state, "a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fs_make_dirs(PATH(*state, "a/b/c"), 0700, &e), 0);
	assert_int_equal(fs_make_dirs(PATH(*state, "a//b/d/"), 0700, &e), 0);
	assert_int_equal(access(PATH(*state, "a/b/d"), F_OK), 0);
	put_file(PATH(*state, "file"), "");
	assert_int_equal(fs_make_dirs(PATH(*state, "file/x"), 0700, &e),
			 -ENOTDIR);
	assert_non_null(strstr(e.msg, "file/x"));
}

static void test_opens_directories_only(void **state)
{
	_close_ int fd = -1;
	struct err e;

	assert_int_equal(fs_open_dir(*state, &fd, &e), 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	put_file(PATH(*state, "file"), "");
	assert_int_equal(fs_open_dir(PATH(*state, "file"), &fd, &e), -ENOTDIR);
	assert_int_equal(fs_open_dir(PATH(*state, "none"), &fd, &e), -ENOENT);
}

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2; /* "." and ".." */
}

static void test_replaces_whole_files(void **state)
{
	_close_ int fd = open(*state, O_RDONLY | O_DIRECTORY);
	struct stat st;
	struct err e;

	assert_int_equal(fs_replace_file(fd, "f", "long text", 9, 0640, &e), 0);
	assert_file(PATH(*state, "f"), "long text");
	assert_int_equal(stat(PATH(*state, "f"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(fs_replace_file(fd, "f", "new", 3, 0600, &e), 0);
	assert_file(PATH(*state, "f"), "new");
	assert_int_equal(count_entries(*state), 1);
}

static void test_takes_away_what_a_killed_one_left(void **state)
{
	_close_ int fd = open(*state, O_RDONLY | O_DIRECTORY);
	struct err e;

	put_file(PATH(*state, "f"), "old");
	put_file(PATH(*state, ".f.tmp"), "a killed one's");
	assert_int_equal(fs_replace_file(fd, "f", "new", 3, 0600, &e), 0);
	assert_file(PATH(*state, "f"), "new");
	assert_int_equal(count_entries(*state), 1);
	put_file(PATH(*state, ".f.tmp"), "a killed one's");
	assert_int_equal(fs_remove_file(fd, "f"), 0);
	assert_int_equal(count_entries(*state), 0);
	assert_int_equal(fs_remove_file(fd, "f"), -ENOENT);
}

static void test_replaces_a_file_of_the_longest_name(void **state)
{
	_close_ int fd = open(*state, O_RDONLY | O_DIRECTORY);
	char name[NAME_MAX + 1];
	struct err e;

	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	assert_int_equal(fs_replace_file(fd, name, "old", 3, 0600, &e), 0);
	assert_int_equal(fs_replace_file(fd, name, "new", 3, 0600, &e), 0);
	assert_file(PATH(*state, name), "new");
	assert_int_equal(count_entries(*state), 1);
}

static void test_a_failed_replacement_leaves_the_old_file(void **state)
{
	_close_ int fd = open(*state, O_RDONLY | O_DIRECTORY);
	struct err e;

	assert_int_equal(mkdir(PATH(*state, "d"), 0700), 0);
	put_file(PATH(*state, "d/inside"), "old");
	assert_int_equal(fs_replace_file(fd, "d", "new", 3, 0600, &e), -EISDIR);
	assert_non_null(strstr(e.msg, "\"d\""));
	assert_file(PATH(*state, "d/inside"), "old");
	assert_int_equal(count_entries(*state), 1);
}

static void test_a_closed_pipe_is_an_error(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fs_write_all(fds[1], "x", 1), 0);
	close(fds[0]);
	assert_int_equal(fs_write_all(fds[1], "x", 1), -EPIPE);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_reads_all_of_any_length),
		IN_DIR(test_refuses_more_than_the_limit),
		IN_DIR(test_a_missing_file_is_named),
		IN_DIR(test_makes_all_directories),
		IN_DIR(test_opens_directories_only),
		IN_DIR(test_replaces_whole_files),
		IN_DIR(test_takes_away_what_a_killed_one_left),
		IN_DIR(test_replaces_a_file_of_the_longest_name),
		IN_DIR(test_a_failed_replacement_leaves_the_old_file),
		cmocka_unit_test(test_a_closed_pipe_is_an_error),
	};

	umask(022);
	return RUN(tests);
}
