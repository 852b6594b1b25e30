// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/boot.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

#define DIRECTORY "/run/hawser/dhcp"
#define DIR_MODE  0700
#define FILE_MODE 0600

/* The socket's path becomes a name, as systemd makes names of paths. */
static int find_directory(const char *prefix, const char *socket_path,
			  char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s" DIRECTORY "/", prefix);
	size_t at = (size_t)n;

	socket_path += strspn(socket_path, "/");
	n = snprintf(path + at, PATH_MAX - at, "%s", socket_path);
	if (!*socket_path || (size_t)n >= PATH_MAX - at || n > NAME_MAX)
		return -ENAMETOOLONG;
	for (; path[at]; at++)
		if (path[at] == '/')
			path[at] = '-';
	return 0;
}

int journal_open(const char *prefix, const char *socket_path, int *ret,
		 struct err *e)
{
	_close_ int dir = -1;
	char path[PATH_MAX];
	int r = find_directory(prefix, socket_path, path);

	if (r)
		return err_set(e, ERR_CONFIG, -r,
			       "socket path \"%s\" is too long", socket_path);
	r = fs_make_dirs(path, DIR_MODE, e);
	if (!r)
		r = fs_open_dir(path, &dir, e);
	if (r)
		return r;
	if (flock(dir, LOCK_EX | LOCK_NB))
		return err_set(e, ERR_IO, EBUSY,
			       "another DHCP daemon has the leases in \"%s\"",
			       path);
	*ret = steal_fd(&dir);
	return 0;
}

int journal_write(int journal, const struct owner_key *key, cJSON *doc,
		  struct err *e)
{
	_free_ char *text = NULL;

	cJSON_AddStringToObject(doc, "boot", boot_current().id);
	text = cJSON_PrintUnformatted(doc);
	return text ? fs_replace_file(journal, key->text, text, strlen(text),
				      FILE_MODE, e)
		    : err_oom(e);
}

void journal_delete(int journal, const struct owner_key *key)
{
	fs_remove_file(journal, key->text);
}

/* NULL for what is not a document of this boot. */
static cJSON *read_document(int journal, const char *name)
{
	_close_ int fd =
		openat(journal, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_json_ cJSON *doc = NULL;
	_free_ char *text = NULL;
	const cJSON *boot;
	size_t len;

	if (fd < 0 || fs_read_all(fd, JSON_TEXT_MAX, &text, &len) ||
	    json_parse(text, len, &doc, NULL))
		return NULL;
	boot = json_get(doc, "boot");
	if (!cJSON_IsString(boot) ||
	    strcmp(boot->valuestring, boot_current().id) != 0)
		return NULL;
	return steal_ptr(&doc);
}

static DIR *list(int journal)
{
	int fd = openat(journal, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

void journal_read_all(int journal, void (*each)(void *arg, cJSON *doc),
		      void *arg)
{
	_closedir_ DIR *dir = list(journal);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cJSON *doc = entry->d_name[0] == '.'
				     ? NULL
				     : read_document(journal, entry->d_name);

		if (doc)
			each(arg, doc);
		else
			unlinkat(journal, entry->d_name, 0); /* not "." */
	}
}

bool journal_has(const char *socket_path, const struct owner_key *key)
{
	_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];

	if (find_directory("", socket_path, path))
		return false;
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (key ? !strcmp(entry->d_name, key->text)
			: entry->d_name[0] != '.')
			return true;
	return false;
}
