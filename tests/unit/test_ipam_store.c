// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "service/ipam_store.h"

static const struct ipam_owner abc = { "abc", "eth0" }, xyz = { "xyz", "eth0" };

/* The store in "net" below @dir, with indexes in "index". */
static struct ipam_place place(const char *dir)
{
	static char index[PATH_MAX];

	snprintf(index, sizeof(index), "%s/index", dir);
	return (struct ipam_place){ dir, "net", index };
}

static struct ipam_store *opened(const char *dir)
{
	const struct ipam_place at = place(dir);
	struct ipam_store *s = NULL;
	struct err e;

	if (ipam_store_open(&at, IPAM_CREATE, &s, &e))
		fail_msg("%s", e.msg);
	return s;
}

static int reserve(struct ipam_store *s, const char *text,
		   const struct ipam_owner *owner)
{
	struct ip_addr addr = ip(text);

	return ipam_store_reserve(s, &addr, owner, NULL);
}

static void assert_next_free(struct ipam_store *s, const char *from,
			     const char *last, const char *expected)
{
	struct ip_addr end = ip(last), found;

	if (!ipam_store_find_free(s, ip(from), &end, &found))
		assert_string_equal("none", expected);
	else
		assert_ip(&found, expected);
}

/* The names in the network's directory, sorted, each followed by a space. */
static const char *listing(const char *dir)
{
	static char text[4096];
	struct dirent **entries;
	int n = scandir(PATH(dir, "net"), &entries, NULL, alphasort);

	*text = '\0';
	for (int i = 0; i < n; i++) {
		if (strcmp(entries[i]->d_name, ".") &&
		    strcmp(entries[i]->d_name, "..")) {
			strcat(text, entries[i]->d_name);
			strcat(text, " ");
		}
		free(entries[i]);
	}
	free(entries);
	return text;
}

static void test_files_are_the_references(void **state)
{
	struct ipam_store *s = opened(*state);
	struct ip_addr last = ip("10.1.2.5");
	struct stat st;

	assert_int_equal(reserve(s, "10.1.2.5", &abc), 0);
	assert_int_equal(reserve(s, "2001:db8::5", &abc), 0);
	assert_int_equal(reserve(s, "::1.2.3.4", &xyz), 0);
	ipam_store_set_last_reserved(s, 0, &last);
	ipam_store_close(s);
	assert_string_equal(
		listing(*state),
		"10.1.2.5 2001:db8::5 ::102:304 last_reserved_ip.0 lock ");
	assert_file(PATH(*state, "net/10.1.2.5"), "abc\r\neth0");
	assert_file(PATH(*state, "net/2001:db8::5"), "abc\r\neth0");
	assert_file(PATH(*state, "net/last_reserved_ip.0"), "10.1.2.5");
	assert_file(PATH(*state, "net/lock"), "");
	assert_int_equal(stat(PATH(*state, "net/10.1.2.5"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(stat(PATH(*state, "net"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void test_holds_the_lock_until_closed(void **state)
{
	struct ipam_store *s = opened(*state);
	_close_ int fd = open(PATH(*state, "net/lock"), O_RDONLY);

	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	ipam_store_close(s);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
}

static void test_finds_the_next_free_address(void **state)
{
	struct ipam_store *s;

	mkdir(PATH(*state, "net"), 0755);
	put_file(PATH(*state, "net/10.0.0.3"), "a\r\nb");
	put_file(PATH(*state, "net/10.0.0.4"), "a\r\nb");
	put_file(PATH(*state, "net/10.0.0.255"), "a\r\nb");
	put_file(PATH(*state, "net/255.255.255.255"), "a\r\nb");
	put_file(PATH(*state, "net/2001:db8::1"), "a\r\nb");
	put_file(PATH(*state, "net/2001:DB8::2"), "a\r\nb"); /* not our text */
	put_file(PATH(*state, "net/10.0.0.02"), "a\r\nb");
	put_file(PATH(*state, "net/notes"), "a\r\nb");
	s = opened(*state);
	assert_next_free(s, "10.0.0.2", "10.0.0.9", "10.0.0.2");
	assert_next_free(s, "10.0.0.3", "10.0.0.9", "10.0.0.5");
	assert_next_free(s, "10.0.0.4", "10.0.0.5", "10.0.0.5");
	assert_next_free(s, "10.0.0.3", "10.0.0.4", "none");
	assert_next_free(s, "10.0.0.4", "10.0.0.4", "none");
	assert_next_free(s, "10.0.0.9", "10.0.0.8", "none");
	assert_next_free(s, "10.0.0.255", "10.0.1.9", "10.0.1.0");
	/* does not go around at the end of all addresses */
	assert_next_free(s, "255.255.255.255", "255.255.255.255", "none");
	assert_next_free(s, "2001:db8::1", "2001:db8::f", "2001:db8::2");
	assert_next_free(s, "2001:db8::", "2001:db8::f", "2001:db8::");
	ipam_store_close(s);
}

static void test_never_takes_what_is_taken(void **state)
{
	struct ip_addr addr = ip("10.0.0.2");
	struct ipam_store *s = opened(*state);
	struct err e = { 0 };

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	assert_int_equal(ipam_store_reserve(s, &addr, &xyz, &e), -EEXIST);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_non_null(strstr(e.msg, PATH(*state, "net/10.0.0.2")));
	ipam_store_close(s);
	assert_file(PATH(*state, "net/10.0.0.2"), "abc\r\neth0");
	assert_string_equal(listing(*state), "10.0.0.2 lock ");
}

static void test_a_file_without_content_is_free(void **state)
{
	struct ip_addr empty = ip("10.0.0.2"), zeros = ip("10.0.0.3");
	struct ip_addr taken = ip("10.0.0.4"), dir = ip("10.0.0.5");
	struct ipam_store *s;
	FILE *f;

	mkdir(PATH(*state, "net"), 0755);
	put_file(PATH(*state, "net/10.0.0.2"), "");
	f = fopen(PATH(*state, "net/10.0.0.3"), "w");
	assert_int_equal(fwrite("\0\0\0\0", 1, 4, f), 4);
	fclose(f);
	put_file(PATH(*state, "net/10.0.0.4"), "abc\r\neth0");
	mkdir(PATH(*state, "net/10.0.0.5"), 0755);
	s = opened(*state);
	assert_true(ipam_store_is_free(s, &empty));
	assert_true(ipam_store_is_free(s, &zeros));
	assert_false(ipam_store_is_free(s, &taken));
	assert_false(ipam_store_is_free(s, &dir));
	assert_next_free(s, "10.0.0.2", "10.0.0.5", "none");
	ipam_store_forget_abandoned(s);
	assert_next_free(s, "10.0.0.2", "10.0.0.5", "10.0.0.2");
	assert_next_free(s, "10.0.0.3", "10.0.0.5", "10.0.0.3");
	assert_next_free(s, "10.0.0.4", "10.0.0.5", "none");
	assert_int_equal(reserve(s, "10.0.0.2", &xyz), 0);
	assert_int_equal(reserve(s, "10.0.0.3", &xyz), 0);
	assert_int_equal(reserve(s, "10.0.0.5", &xyz), -EEXIST);
	ipam_store_close(s);
	assert_file(PATH(*state, "net/10.0.0.2"), "xyz\r\neth0");
	assert_file(PATH(*state, "net/10.0.0.3"), "xyz\r\neth0");
}

/* What ipam_store_owned() says, as text. */
static const char *owned_by(struct ipam_store *s, const char *id,
			    const char *ifname)
{
	const struct ipam_owner owner = { id, ifname };
	_arena_ struct arena arena = { 0 };
	static char text[512];
	char buf[IP_TEXT_MAX];
	ip_list list = { 0 };

	assert_int_equal(ipam_store_owned(s, &owner, &arena, &list, NULL), 0);
	*text = '\0';
	for (size_t i = 0; i < list.n; i++) {
		strcat(text, ip_text(&list.v[i], buf));
		strcat(text, " ");
	}
	return text;
}

static void test_finds_what_is_owned(void **state)
{
	char big[IPAM_OWNER_MAX + 2];
	struct ipam_store *s;

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	mkdir(PATH(*state, "net"), 0755);
	put_file(PATH(*state, "net/10.0.0.2"), "abc\r\neth0");
	put_file(PATH(*state, "net/10.0.0.3"), "abc\r\neth1");
	put_file(PATH(*state, "net/10.0.0.4"), "abc\r\neth0\n");
	put_file(PATH(*state, "net/10.0.0.5"), "abcd\r\neth0");
	put_file(PATH(*state, "net/10.0.0.6"), "abc");
	put_file(PATH(*state, "net/10.0.0.7"), "old\n");
	put_file(PATH(*state, "net/10.0.0.8"), "");
	put_file(PATH(*state, "net/10.0.0.9"), big);
	mkdir(PATH(*state, "net/10.0.0.10"), 0755);
	assert_int_equal(symlink("10.0.0.2", PATH(*state, "net/10.0.0.11")), 0);
	assert_int_equal(mkfifo(PATH(*state, "net/10.0.0.12"), 0600), 0);
	put_file(PATH(*state, "net/last_reserved_ip.0"), "abc");
	s = opened(*state);
	assert_string_equal(owned_by(s, "abc", "eth0"), "10.0.0.2 10.0.0.4 ");
	assert_string_equal(owned_by(s, "abc", "eth1"), "10.0.0.3 ");
	/* files of before interfaces count when there are no others */
	assert_string_equal(owned_by(s, "abc", "eth2"), "10.0.0.6 ");
	assert_string_equal(owned_by(s, "old", "eth0"), "10.0.0.7 ");
	assert_string_equal(owned_by(s, "ab", "eth0"), "");
	assert_string_equal(owned_by(s, big, "eth0"), "");
	ipam_store_close(s);
}

static void test_release(void **state)
{
	struct ip_addr addr = ip("10.0.0.2"), dir = ip("10.0.0.3");
	struct ipam_store *s = opened(*state);
	struct err e = { 0 };

	mkdir(PATH(*state, "net/10.0.0.3"), 0755);
	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	assert_int_equal(ipam_store_release(s, &addr, &abc, &e), 0);
	assert_missing(PATH(*state, "net/10.0.0.2"));
	assert_int_equal(ipam_store_release(s, &addr, &abc, &e), 0); /* again */
	assert_int_equal(ipam_store_release(s, &dir, &abc, &e), -EISDIR);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.msg, PATH(*state, "net/10.0.0.3")));
	ipam_store_close(s);
}

static bool is_xyz(const struct ipam_owner *owner, const void *arg)
{
	assert_string_equal(arg, "argument");
	return !strcmp(owner->container_id, "xyz");
}

static void test_prune(void **state)
{
	struct ipam_store *s;

	mkdir(PATH(*state, "net"), 0755);
	put_file(PATH(*state, "net/10.0.0.2"), "abc\r\neth0");
	put_file(PATH(*state, "net/10.0.0.3"), "xyz\r\neth0");
	put_file(PATH(*state, "net/10.0.0.4"), "xyz");
	put_file(PATH(*state, "net/10.0.0.5"), "");
	mkdir(PATH(*state, "net/10.0.0.6"), 0755);
	put_file(PATH(*state, "net/notes"), "xyz\r\neth0");
	s = opened(*state);
	assert_int_equal(ipam_store_prune(s, is_xyz, "argument", NULL), 0);
	ipam_store_close(s);
	assert_string_equal(listing(*state), "10.0.0.2 10.0.0.6 lock notes ");
}

static void test_the_hint_is_overwritten_whole(void **state)
{
	struct ipam_store *s = opened(*state);
	struct ip_addr addr;

	assert_false(ipam_store_last_reserved(s, 0, &addr));
	addr = ip("10.100.100.100");
	ipam_store_set_last_reserved(s, 0, &addr);
	addr = ip("10.1.1.1");
	ipam_store_set_last_reserved(s, 0, &addr);
	assert_file(PATH(*state, "net/last_reserved_ip.0"), "10.1.1.1");
	assert_true(ipam_store_last_reserved(s, 0, &addr));
	assert_ip(&addr, "10.1.1.1");
	assert_false(ipam_store_last_reserved(s, 1, &addr));
	put_file(PATH(*state, "net/last_reserved_ip.1"), "nonsense");
	assert_false(ipam_store_last_reserved(s, 1, &addr));
	/* and a failure to write it is none */
	mkdir(PATH(*state, "net/last_reserved_ip.2"), 0755);
	ipam_store_set_last_reserved(s, 2, &addr);
	ipam_store_close(s);
}

static void test_the_leftover_of_a_killed_process_goes(void **state)
{
	struct ipam_store *s = opened(*state);

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	ipam_store_close(s);
	/* killed after linking: both names are the same file */
	assert_int_equal(link(PATH(*state, "net/10.0.0.2"),
			      PATH(*state, "net/.hawser.tmp")),
			 0);
	s = opened(*state);
	assert_int_equal(reserve(s, "10.0.0.3", &xyz), 0);
	ipam_store_close(s);
	assert_string_equal(listing(*state), "10.0.0.2 10.0.0.3 lock ");
	assert_file(PATH(*state, "net/10.0.0.2"), "abc\r\neth0");
	assert_file(PATH(*state, "net/10.0.0.3"), "xyz\r\neth0");
}

static void test_an_id_too_long_for_the_file(void **state)
{
	char id[IPAM_OWNER_MAX + 1];
	const struct ipam_owner longest = { id, "eth0" };
	struct ipam_store *s = opened(*state);

	memset(id, 'a', sizeof(id) - 1);
	id[IPAM_OWNER_MAX - 6] = '\0';
	assert_int_equal(reserve(s, "10.0.0.2", &longest), 0);
	ipam_store_close(s);
	s = opened(*state);
	assert_string_equal(owned_by(s, id, "eth0"), "10.0.0.2 ");
	id[IPAM_OWNER_MAX - 6] = 'a';
	id[IPAM_OWNER_MAX - 5] = '\0';
	assert_int_equal(reserve(s, "10.0.0.3", &longest), -EINVAL);
	ipam_store_close(s);
	assert_string_equal(listing(*state), "10.0.0.2 lock ");
}

static void test_opening_what_is_not_there(void **state)
{
	struct ipam_place at = place(*state);
	struct ipam_store *s = NULL;
	struct ip_addr addr = ip("10.0.0.2");
	struct err e;

	assert_int_equal(ipam_store_open(&at, 0, &s, &e), -ENOENT);
	assert_null(s);
	assert_missing(PATH(*state, "net"));
	at.data_dir = PATH(*state, "a/b");
	assert_int_equal(ipam_store_peek(&at, &s, &e), 0);
	assert_int_equal(ipam_store_check_writable(&at, &e), 0);
	assert_true(ipam_store_is_free(s, &addr));
	assert_false(ipam_store_last_reserved(s, 0, &addr));
	ipam_store_close(s);
	assert_missing(PATH(*state, "a"));
}

static void test_peeking_leaves_nothing(void **state)
{
	const struct ipam_place at = place(*state);
	struct ipam_store *s = NULL;
	struct err e;

	mkdir(PATH(*state, "net"), 0755);
	put_file(PATH(*state, "net/10.0.0.2"), "abc\r\neth0");
	put_file(PATH(*state, "net/.hawser.tmp"), "");
	assert_int_equal(ipam_store_peek(&at, &s, &e), 0);
	assert_next_free(s, "10.0.0.2", "10.0.0.9", "10.0.0.3");
	ipam_store_close(s);
	assert_string_equal(listing(*state), ".hawser.tmp 10.0.0.2 ");
}

static void test_hostile_directories(void **state)
{
	struct ipam_place at = place(*state);
	struct ipam_store *s = NULL;
	struct err e;

	put_file(PATH(*state, "file"), "");
	at.data_dir = PATH(*state, "file");
	assert_int_equal(ipam_store_open(&at, IPAM_CREATE, &s, &e), -ENOTDIR);
	assert_non_null(strstr(e.msg, at.data_dir));
	assert_int_equal(ipam_store_peek(&at, &s, &e), -ENOTDIR);
	assert_int_equal(ipam_store_check_writable(&at, &e), -ENOTDIR);
	mkdir(PATH(*state, "elsewhere"), 0755);
	assert_int_equal(symlink("elsewhere", PATH(*state, "net")), 0);
	at.data_dir = *state;
	assert_true(ipam_store_open(&at, IPAM_CREATE, &s, &e) < 0);
	assert_non_null(strstr(e.msg, PATH(*state, "net")));
	assert_missing(PATH(*state, "elsewhere/lock"));
	/* above the network's directory a link is the administrator's word */
	assert_int_equal(symlink("elsewhere", PATH(*state, "data")), 0);
	at.data_dir = PATH(*state, "data");
	assert_int_equal(ipam_store_open(&at, IPAM_CREATE, &s, &e), 0);
	ipam_store_close(s);
	assert_int_equal(access(PATH(*state, "elsewhere/net/lock"), F_OK), 0);
}

static void test_hostile_files(void **state)
{
	const struct ipam_place at = place(*state);
	struct ip_addr addr = ip("10.0.0.2");
	struct ipam_store *s = NULL;
	struct err e;

	mkdir(PATH(*state, "net"), 0755);
	put_file(PATH(*state, "victim"), "precious");
	assert_int_equal(symlink("../victim", PATH(*state, "net/lock")), 0);
	assert_int_equal(ipam_store_open(&at, IPAM_CREATE, &s, &e), -ELOOP);
	assert_non_null(strstr(e.msg, PATH(*state, "net/lock")));
	unlink(PATH(*state, "net/lock"));
	assert_int_equal(symlink("../victim", PATH(*state, "net/.hawser.tmp")),
			 0);
	assert_int_equal(
		symlink("../victim", PATH(*state, "net/last_reserved_ip.0")),
		0);
	assert_int_equal(symlink("../victim", PATH(*state, "net/10.0.0.3")), 0);
	s = opened(*state);
	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	assert_int_equal(reserve(s, "10.0.0.3", &abc), -EEXIST);
	ipam_store_set_last_reserved(s, 0, &addr);
	ipam_store_close(s);
	assert_file(PATH(*state, "victim"), "precious");
	assert_file(PATH(*state, "net/10.0.0.2"), "abc\r\neth0");
}

/* --- the index ------------------------------------------------------------ */

static size_t count_indexes(const char *dir)
{
	struct dirent **entries;
	int n = scandir(PATH(dir, "index"), &entries, NULL, NULL);

	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(n < 0 ? NULL : entries);
	return n < 2 ? 0 : (size_t)n - 2;
}

/* Seen by a file whose content changes where it is, which breaks no seal. */
static void test_the_index_spares_reading_all_files(void **state)
{
	struct ipam_store *s = opened(*state);

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	assert_int_equal(reserve(s, "10.0.0.3", &abc), 0);
	ipam_store_close(s);
	assert_int_equal(count_indexes(*state), 1);
	put_file(PATH(*state, "net/10.0.0.2"), "xyz\r\neth0");
	s = opened(*state);
	assert_string_equal(owned_by(s, "xyz", "eth0"), "");
	/* a file that says something else is noticed, and all are read */
	assert_string_equal(owned_by(s, "abc", "eth0"), "10.0.0.3 ");
	assert_string_equal(owned_by(s, "xyz", "eth0"), "10.0.0.2 ");
	ipam_store_close(s);
}

static void test_no_index_of_an_empty_store(void **state)
{
	struct ip_addr addr = ip("10.0.0.2");
	struct ipam_store *s = opened(*state);

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	ipam_store_close(s);
	s = opened(*state);
	assert_int_equal(ipam_store_release(s, &addr, &abc, NULL), 0);
	ipam_store_close(s);
	assert_int_equal(count_indexes(*state), 0);
}

/* Within one tick of the clock, most of the times. */
static void test_what_others_do_right_after_us_is_seen(void **state)
{
	struct ip_addr next = ip("10.0.0.2");
	char name[IP_TEXT_MAX];

	for (int i = 0; i < 200; i++) {
		struct ipam_store *s = opened(*state);

		assert_int_equal(ipam_store_reserve(s, &next, &abc, NULL), 0);
		ipam_store_close(s);
		put_file(PATH(PATH(*state, "net"), "10.9.9.9"), "xyz\r\neth0");
		s = opened(*state);
		assert_string_equal(owned_by(s, "xyz", "eth0"), "10.9.9.9 ");
		ipam_store_close(s);
		unlink(PATH(PATH(*state, "net"), "10.9.9.9"));
		unlink(PATH(PATH(*state, "net"), ip_text(&next, name)));
		s = opened(*state);
		assert_string_equal(owned_by(s, "xyz", "eth0"), "");
		assert_string_equal(owned_by(s, "abc", "eth0"), "");
		ipam_store_close(s);
	}
}

static void test_a_killed_process_leaves_no_index(void **state)
{
	struct ip_addr addr = ip("10.0.0.2");
	struct ipam_store *s = opened(*state);
	int status = 0;

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	ipam_store_close(s);
	if (!fork()) {
		s = opened(*state);
		reserve(s, "10.0.0.3", &xyz);
		ipam_store_release(s, &addr, &abc, NULL);
		_exit(0);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	s = opened(*state);
	assert_string_equal(owned_by(s, "xyz", "eth0"), "10.0.0.3 ");
	assert_string_equal(owned_by(s, "abc", "eth0"), "");
	assert_next_free(s, "10.0.0.2", "10.0.0.9", "10.0.0.2");
	ipam_store_close(s);
}

static void test_without_a_place_for_the_index(void **state)
{
	struct ipam_place at = place(*state);
	struct ipam_store *s = NULL;

	at.index_dir = NULL;
	assert_int_equal(ipam_store_open(&at, IPAM_CREATE, &s, NULL), 0);
	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	ipam_store_close(s);
	put_file(PATH(*state, "file"), "");
	at.index_dir = PATH(*state, "file");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ipam_store_open(&at, 0, &s, NULL), 0);
		assert_string_equal(owned_by(s, "abc", "eth0"), "10.0.0.2 ");
		assert_next_free(s, "10.0.0.2", "10.0.0.9",
				 i ? "10.0.0.4" : "10.0.0.3");
		assert_int_equal(reserve(s, i ? "10.0.0.4" : "10.0.0.3", &xyz),
				 0);
		ipam_store_close(s);
	}
}

/* Of a file that cannot be read now nobody may say later that it is nobody's. */
static void test_an_unreadable_file_keeps_the_index_away(void **state)
{
	struct ipam_store *s;

	mkdir(PATH(*state, "net"), 0755);
	assert_int_equal(symlink("nowhere", PATH(*state, "net/10.0.0.2")), 0);
	s = opened(*state);
	assert_int_equal(reserve(s, "10.0.0.3", &abc), 0);
	ipam_store_close(s);
	assert_int_equal(count_indexes(*state), 0);
}

/* --- earlier boots -------------------------------------------------------- */

#define EARLIER	  "11111111-61bb-4a39-9a9a-0b1d0c6a3a6b"
#define ATTRIBUTE "user.hawser.boot"

static const char *boot_of(const char *path)
{
	static char text[128];
	ssize_t len = getxattr(path, ATTRIBUTE, text, sizeof(text) - 1);

	text[len < 0 ? 0 : len] = '\0';
	return text;
}

/* Let the file be of @id's boot of this machine. */
static void date_back(const char *path, const char *id)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s", id, boot_of(path) + strlen(id));
	assert_int_equal(setxattr(path, ATTRIBUTE, text, strlen(text), 0), 0);
}

static struct ipam_store *reopened(const char *dir, unsigned flags)
{
	const struct ipam_place at = place(dir);
	struct ipam_store *s = NULL;

	/* what a reboot empties */
	nftw(PATH(dir, "index"), dir_remove, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(ipam_store_open(&at, flags, &s, NULL), 0);
	return s;
}

static void test_what_an_earlier_boot_reserved(void **state)
{
	struct ipam_store *s = opened(*state);

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	assert_int_equal(reserve(s, "10.0.0.3", &abc), 0);
	ipam_store_close(s);
	if (!*boot_of(PATH(*state, "net/10.0.0.2")))
		skip(); /* attributes, or the machine's ID, are not there */
	put_file(PATH(*state, "net/10.0.0.4"),
		 "abc\r\neth0"); /* the reference's */
	date_back(PATH(*state, "net/10.0.0.2"), EARLIER);
	s = reopened(*state, 0);
	assert_string_equal(owned_by(s, "abc", "eth0"),
			    "10.0.0.2 10.0.0.3 10.0.0.4 ");
	ipam_store_close(s);
	/* the index of somebody who did not reclaim is no obstacle */
	s = opened(*state);
	ipam_store_close(s);
	assert_int_equal(count_indexes(*state), 1);
	assert_int_equal(
		ipam_store_open(&(struct ipam_place){ *state, "net",
						      PATH(*state, "index") },
				IPAM_RECLAIM, &s, NULL),
		0);
	assert_string_equal(owned_by(s, "abc", "eth0"), "10.0.0.3 10.0.0.4 ");
	assert_missing(PATH(*state, "net/10.0.0.2"));
	ipam_store_close(s);
}

static void test_another_machine_proves_nothing(void **state)
{
	const char *path = PATH(*state, "net/10.0.0.2");
	struct ipam_store *s = opened(*state);
	char text[128];

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	ipam_store_close(s);
	if (!*boot_of(path))
		skip();
	date_back(path, EARLIER);
	snprintf(text, sizeof(text), "%s", boot_of(path));
	text[strlen(text) - 1] ^= 1;
	assert_int_equal(setxattr(path, ATTRIBUTE, text, strlen(text), 0), 0);
	s = reopened(*state, IPAM_RECLAIM);
	assert_string_equal(owned_by(s, "abc", "eth0"), "10.0.0.2 ");
	ipam_store_close(s);
}

static void test_synced_changes(void **state)
{
	struct ip_addr addr = ip("10.0.0.2");
	struct ipam_store *s = reopened(*state, IPAM_CREATE | IPAM_SYNC);

	assert_int_equal(reserve(s, "10.0.0.2", &abc), 0);
	assert_file(PATH(*state, "net/10.0.0.2"), "abc\r\neth0");
	assert_int_equal(ipam_store_release(s, &addr, &abc, NULL), 0);
	ipam_store_close(s);
	assert_string_equal(listing(*state), "lock ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_files_are_the_references),
		IN_DIR(test_holds_the_lock_until_closed),
		IN_DIR(test_finds_the_next_free_address),
		IN_DIR(test_never_takes_what_is_taken),
		IN_DIR(test_a_file_without_content_is_free),
		IN_DIR(test_finds_what_is_owned),
		IN_DIR(test_release),
		IN_DIR(test_prune),
		IN_DIR(test_the_hint_is_overwritten_whole),
		IN_DIR(test_the_leftover_of_a_killed_process_goes),
		IN_DIR(test_an_id_too_long_for_the_file),
		IN_DIR(test_opening_what_is_not_there),
		IN_DIR(test_peeking_leaves_nothing),
		IN_DIR(test_hostile_directories),
		IN_DIR(test_hostile_files),
		IN_DIR(test_the_index_spares_reading_all_files),
		IN_DIR(test_no_index_of_an_empty_store),
		IN_DIR(test_what_others_do_right_after_us_is_seen),
		IN_DIR(test_a_killed_process_leaves_no_index),
		IN_DIR(test_without_a_place_for_the_index),
		IN_DIR(test_an_unreadable_file_keeps_the_index_away),
		IN_DIR(test_what_an_earlier_boot_reserved),
		IN_DIR(test_another_machine_proves_nothing),
		IN_DIR(test_synced_changes),
	};

	umask(022);
	return RUN(tests);
}
