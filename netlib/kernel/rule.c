// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/rule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "kernel/rtnl.h"

static int request(const struct netns *ns, int type, int flags,
		   const struct rule *rule, const char *what, struct err *e)
{
	const struct fib_rule_hdr header = {
		.family = rule->family,
		.src_len = rule->from.len,
		.action = FR_ACT_TO_TBL,
	};
	char from[PREFIX_TEXT_MAX];
	_rtreq_ struct rtreq q;

	rtreq_init(&q, type, flags, &header, sizeof(header));
	if (rule->from.len)
		rtreq_put_ip(&q, FRA_SRC, &rule->from.addr);
	rtreq_put_u32(&q, FRA_TABLE, rule->table);
	rtreq_put_u32(&q, FRA_PRIORITY, rule->priority);
	return rtreq_call(ns, &q, e, "%s rule from %s to table %u", what,
			  prefix_text(&rule->from, from), rule->table);
}

int rule_add(const struct netns *ns, const struct rule *rule, struct err *e)
{
	return request(ns, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule, "add",
		       e);
}

int rule_delete(const struct netns *ns, const struct rule *rule, struct err *e)
{
	return request(ns, RTM_DELRULE, 0, rule, "delete", e);
}

static int read_element(const struct nlmsghdr *msg, struct rtlist *list)
{
	const struct fib_rule_hdr *header = nlmsg_data(msg);
	struct nlattr *tb[FRA_MAX + 1];
	struct rule *rule;

	if (msg->nlmsg_type != RTM_NEWRULE || header->family != list->filter)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)msg, sizeof(*header), tb, FRA_MAX,
			NULL))
		return -EBADMSG;
	rule = rtlist_add(list);
	if (!rule)
		return -ENOMEM;
	rule->family = rule->from.addr.family = header->family;
	rule->from.len = header->src_len;
	if (tb[FRA_SRC] &&
	    (size_t)nla_len(tb[FRA_SRC]) == ip_size(header->family))
		memcpy(rule->from.addr.bytes, nla_data(tb[FRA_SRC]),
		       ip_size(header->family));
	if (header->action == FR_ACT_TO_TBL)
		rule->table = tb[FRA_TABLE] ? rtattr_u32(tb[FRA_TABLE])
					    : header->table;
	rule->priority = rtattr_u32(tb[FRA_PRIORITY]);
	return 0;
}

int rule_list(const struct netns *ns, uint8_t family, struct arena *a,
	      struct rule **ret, size_t *ret_n, struct err *e)
{
	const struct fib_rule_hdr header = { .family = family };
	struct rtlist list = { .arena = a,
			       .size = sizeof(struct rule),
			       .read = read_element,
			       .filter = family };
	_rtreq_ struct rtreq q;
	int r;

	rtreq_init(&q, RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));
	r = rtreq_list(ns, &q, &list, e, "list rules");
	*ret = list.v;
	*ret_n = list.n;
	return r;
}
