// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipam/dhcp/search_list.h"

#include <errno.h>
#include <string.h>

#define LABEL_MAX 63
#define NAME_MAX_ 253 /* as text: RFC 1035, 2.3.4 */

static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Append the label at *at to @name; its length is 0 at a name's end. */
static int read_label(const uint8_t *data, size_t len, size_t *at, char *name,
		      size_t *ret_len)
{
	size_t used = strlen(name), n = data[*at];

	if (n > LABEL_MAX || n > len - *at - 1 ||
	    used + (used && n) + n > NAME_MAX_)
		return -EBADMSG;
	if (n && used)
		name[used++] = '.';
	for (size_t i = 0; i < n; i++) {
		if (!is_name_char(data[*at + 1 + i]))
			return -EBADMSG;
		name[used++] = (char)data[*at + 1 + i];
	}
	name[used] = '\0';
	*at += 1 + n;
	*ret_len = n;
	return 0;
}

static int read_name(const uint8_t *data, size_t len, size_t *at, char *name)
{
	size_t label = 0;

	name[0] = '\0';
	do {
		if (*at == len || read_label(data, len, at, name, &label))
			return -EBADMSG;
	} while (label);
	return 0;
}

static bool has_name(const struct search_list *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list->text; *p;) {
		size_t word = strcspn(p, " ");

		if (word == n && !memcmp(p, name, n))
			return true;
		p += word + (p[word] == ' ');
	}
	return false;
}

static void put_name(struct search_list *list, const char *name)
{
	size_t used = strlen(list->text), n = strlen(name);

	if (!n || has_name(list, name) ||
	    used + (used != 0) + n >= sizeof(list->text))
		return;
	if (used)
		list->text[used++] = ' ';
	memcpy(list->text + used, name, n + 1);
}

int search_list_read(struct search_list *list, const uint8_t *data, size_t len)
{
	struct search_list read = *list;
	char name[NAME_MAX_ + 1];

	for (size_t at = 0; at < len;) {
		if (read_name(data, len, &at, name))
			return -EBADMSG;
		put_name(&read, name);
	}
	*list = read;
	return 0;
}

int search_list_add(struct search_list *list, const char *name)
{
	if (strlen(name) > NAME_MAX_)
		return -EBADMSG;
	for (const char *p = name; *p; p++)
		if (*p != '.' && !is_name_char((uint8_t)*p))
			return -EBADMSG;
	put_name(list, name);
	return 0;
}
