// SPDX-License-Identifier: GPL-2.0-or-later
/* Domains to look for short names in, as DHCPv6 (RFC 3646) and router
 * advertisements (RFC 8106) carry them: labels of RFC 1035, never compressed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEARCH_LIST_TEXT_MAX 512

struct search_list {
	char text[SEARCH_LIST_TEXT_MAX]; /* "a.example b.example" */
};

/* Add the names of @data, but those that the list has already, and those that
 * there is no more room for. Names of nothing (padding) are passed over.
 * -EBADMSG, with @list as it was, when @data is cut off or compressed, or a
 * name has anything in it but letters, digits, '-' and '_': it will be written
 * into somebody's resolv.conf. */
int search_list_read(struct search_list *list, const uint8_t *data, size_t len);

/* Add one name that is text already, under the same rules. */
int search_list_add(struct search_list *list, const char *name);
