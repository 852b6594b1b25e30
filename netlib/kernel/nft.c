// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>

#define REQUEST_MAX 4096

bool nft_is_absent(int r)
{
	return r == -EPROTONOSUPPORT || r == -EAFNOSUPPORT ||
	       r == -EOPNOTSUPP || r == -EINVAL;
}

/* --- questions ----------------------------------------------------------- */

static struct nlmsghdr *question_init(struct nft *nft, char *buffer, int type,
				      int flags)
{
	return nftnl_nlmsg_build_hdr(buffer, (uint16_t)type,
				     (uint16_t)nft->family, (uint16_t)flags,
				     ++nft->nf->seq);
}

static int say(int r, struct err *e, const char *what)
{
	return r ? err_set(e, ERR_IO, -r, "%s: %s", what, strerror(-r)) : 0;
}

static int generation_reply(const struct nlmsghdr *msg, void *arg)
{
	struct nftnl_gen *gen = nftnl_gen_alloc();

	if (!gen)
		return MNL_CB_ERROR;
	if (nftnl_gen_nlmsg_parse(msg, gen)) {
		nftnl_gen_free(gen);
		return MNL_CB_ERROR;
	}
	*(uint32_t *)arg = nftnl_gen_get_u32(gen, NFTNL_GEN_ID);
	nftnl_gen_free(gen);
	return MNL_CB_OK;
}

int nft_generation(struct nft *nft, uint32_t *ret, struct err *e)
{
	char buffer[REQUEST_MAX];
	struct nlmsghdr *msg =
		question_init(nft, buffer, NFT_MSG_GETGEN, NLM_F_ACK);

	return say(netfilter_ask(nft->nf, msg, generation_reply, ret), e,
		   "read the nftables generation");
}

int nft_find_table(struct nft *nft, struct err *e)
{
	char buffer[REQUEST_MAX];
	struct nlmsghdr *msg =
		question_init(nft, buffer, NFT_MSG_GETTABLE, NLM_F_ACK);

	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, nft->table);
	return say(netfilter_ask(nft->nf, msg, NULL, NULL), e,
		   "look up an nftables table");
}

int nft_find_set(struct nft *nft, const char *set, struct err *e)
{
	char buffer[REQUEST_MAX];
	struct nlmsghdr *msg =
		question_init(nft, buffer, NFT_MSG_GETSET, NLM_F_ACK);

	mnl_attr_put_strz(msg, NFTA_SET_TABLE, nft->table);
	mnl_attr_put_strz(msg, NFTA_SET_NAME, set);
	return say(netfilter_ask(nft->nf, msg, NULL, NULL), e,
		   "look up an nftables set");
}

struct chain_question {
	uint16_t attribute; /* NFTNL_CHAIN_USE, NFTNL_CHAIN_POLICY */
	uint32_t *ret;
};

static int chain_reply(const struct nlmsghdr *msg, void *arg)
{
	const struct chain_question *question = arg;
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		return MNL_CB_ERROR;
	if (nftnl_chain_nlmsg_parse(msg, chain)) {
		nftnl_chain_free(chain);
		return MNL_CB_ERROR;
	}
	*question->ret = nftnl_chain_get_u32(chain, question->attribute);
	nftnl_chain_free(chain);
	return MNL_CB_OK;
}

static int ask_chain(struct nft *nft, const char *chain, uint16_t attribute,
		     uint32_t *ret, struct err *e)
{
	struct chain_question question = { attribute, ret };
	char buffer[REQUEST_MAX];
	struct nlmsghdr *msg =
		question_init(nft, buffer, NFT_MSG_GETCHAIN, NLM_F_ACK);

	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, nft->table);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, chain);
	return say(netfilter_ask(nft->nf, msg, chain_reply, &question), e,
		   "look up an nftables chain");
}

int nft_find_chain(struct nft *nft, const char *chain, uint32_t *ret_use,
		   struct err *e)
{
	return ask_chain(nft, chain, NFTNL_CHAIN_USE, ret_use, e);
}

int nft_chain_policy(struct nft *nft, const char *chain, uint32_t *ret,
		     struct err *e)
{
	return ask_chain(nft, chain, NFTNL_CHAIN_POLICY, ret, e);
}

static int counter_reply(const struct nlmsghdr *msg, void *arg)
{
	struct nftnl_obj *counter = nftnl_obj_alloc();

	if (!counter)
		return MNL_CB_ERROR;
	if (nftnl_obj_nlmsg_parse(msg, counter)) {
		nftnl_obj_free(counter);
		return MNL_CB_ERROR;
	}
	*(uint32_t *)arg = nftnl_obj_get_u32(counter, NFTNL_OBJ_USE);
	nftnl_obj_free(counter);
	return MNL_CB_OK;
}

int nft_find_counter(struct nft *nft, const char *counter, uint32_t *ret_use,
		     struct err *e)
{
	char buffer[REQUEST_MAX];
	struct nlmsghdr *msg =
		question_init(nft, buffer, NFT_MSG_GETOBJ, NLM_F_ACK);

	mnl_attr_put_strz(msg, NFTA_OBJ_TABLE, nft->table);
	mnl_attr_put_strz(msg, NFTA_OBJ_NAME, counter);
	mnl_attr_put_u32(msg, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	return say(netfilter_ask(nft->nf, msg, counter_reply, ret_use), e,
		   "look up an nftables counter");
}

/* --- elements ------------------------------------------------------------ */

static int find_comment(const struct nftnl_udata *attr, void *arg)
{
	if (nftnl_udata_type(attr) == NFTNL_UDATA_SET_ELEM_COMMENT)
		*(const struct nftnl_udata **)arg = attr;
	return 0;
}

static void read_comment(struct nftnl_set_elem *from, struct nft_element *to)
{
	const struct nftnl_udata *attr = NULL;
	uint32_t len = 0;
	const void *data =
		nftnl_set_elem_get(from, NFTNL_SET_ELEM_USERDATA, &len);

	if (data && !nftnl_udata_parse(data, len, find_comment, &attr) && attr)
		snprintf(to->comment, sizeof(to->comment), "%.*s",
			 (int)nftnl_udata_len(attr),
			 (const char *)nftnl_udata_get(attr));
}

static int read_value(struct nftnl_set_elem *from, uint16_t attribute,
		      struct nft_value *to)
{
	const void *data = nftnl_set_elem_get(from, attribute, &to->len);

	if (!data)
		to->len = 0;
	if (to->len > sizeof(to->bytes))
		return -EBADMSG;
	if (to->len)
		memcpy(to->bytes, data, to->len);
	return 0;
}

static int read_element(struct nftnl_set_elem *from, struct nft_element *to)
{
	uint16_t attribute = nftnl_set_elem_is_set(from, NFTNL_SET_ELEM_OBJREF)
				     ? NFTNL_SET_ELEM_OBJREF
				     : NFTNL_SET_ELEM_CHAIN;
	const char *target = nftnl_set_elem_get_str(from, attribute);
	int r;

	memset(to, 0, sizeof(*to));
	r = read_value(from, NFTNL_SET_ELEM_KEY, &to->key);
	if (!r)
		r = read_value(from, NFTNL_SET_ELEM_DATA, &to->value);
	snprintf(to->target, sizeof(to->target), "%s", target ? target : "");
	read_comment(from, to);
	return r;
}

struct element_list {
	struct arena *arena;
	struct nft_element *v;
	size_t n, room;
	int err;
};

static int collect(struct nftnl_set_elem *from, void *arg)
{
	struct element_list *list = arg;

	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 1;
		struct nft_element *v =
			arena_array(list->arena, room, sizeof(*v));

		if (!v) {
			list->err = -ENOMEM;
			return -1;
		}
		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
		list->room = room;
	}
	list->err = read_element(from, &list->v[list->n++]);
	return list->err ? -1 : 0;
}

static int elements_reply(const struct nlmsghdr *msg, void *arg)
{
	struct nftnl_set *set = nftnl_set_alloc();
	int r = MNL_CB_ERROR;

	errno = ENOMEM;
	if (!set)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(msg, set) >= 0 &&
	    nftnl_set_elem_foreach(set, collect, arg) >= 0)
		r = MNL_CB_OK;
	nftnl_set_free(set);
	return r;
}

static int ask_elements(struct nft *nft, const char *name, int flags,
			struct nftnl_set_elem *key, struct element_list *list)
{
	struct nftnl_set *set = nftnl_set_alloc();
	char buffer[REQUEST_MAX];
	struct nlmsghdr *msg;

	if (!set) {
		nftnl_set_elem_free(key);
		return -ENOMEM;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, nft->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	if (key)
		nftnl_set_elem_add(set, key);
	msg = question_init(nft, buffer, NFT_MSG_GETSETELEM, flags);
	nftnl_set_elems_nlmsg_build_payload(msg, set);
	nftnl_set_free(set);
	return netfilter_ask(nft->nf, msg, elements_reply, list);
}

static struct nftnl_set_elem *key_new(const struct nft_value *key)
{
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();

	if (elem)
		nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, key->bytes,
				   key->len);
	return elem;
}

int nft_find_element(struct nft *nft, const char *set,
		     const struct nft_value *key, struct nft_element *ret,
		     struct err *e)
{
	_arena_ struct arena arena = { 0 };
	struct element_list list = { .arena = &arena };
	struct nftnl_set_elem *elem = key_new(key);
	int r = elem ? ask_elements(nft, set, NLM_F_ACK, elem, &list) : -ENOMEM;

	if (!r && !list.n)
		r = -ENOENT;
	if (!r)
		*ret = list.v[0];
	return say(r, e, "look up an nftables element");
}

int nft_list_elements(struct nft *nft, const char *set, struct arena *a,
		      struct nft_element **ret, size_t *ret_n, struct err *e)
{
	struct element_list list = { .arena = a };
	int r = ask_elements(nft, set, NLM_F_DUMP, NULL, &list);

	*ret = list.v;
	*ret_n = list.n;
	return r == -ENOENT ? 0 : say(r, e, "list nftables elements");
}

/* --- rules --------------------------------------------------------------- */

struct rule_list {
	struct arena *arena;
	struct nft_rule *v;
	size_t n, room;
};

static int find_rule_comment(const struct nftnl_udata *attr, void *arg)
{
	struct nft_rule *rule = arg;

	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT)
		snprintf(rule->comment, sizeof(rule->comment), "%.*s",
			 (int)nftnl_udata_len(attr),
			 (const char *)nftnl_udata_get(attr));
	return 0;
}

/* The value of @type in a nest, or NULL. */
static const struct nlattr *find_nested(const struct nlattr *nest, int type)
{
	const struct nlattr *attr;

	if (nest)
		mnl_attr_for_each_nested (attr, nest)
			if (mnl_attr_get_type(attr) == type)
				return attr;
	return NULL;
}

static bool is_immediate(const struct nlattr *expr)
{
	const struct nlattr *name = find_nested(expr, NFTA_EXPR_NAME);

	return name && !mnl_attr_validate(name, MNL_TYPE_NUL_STRING) &&
	       !strcmp(mnl_attr_get_str(name), "immediate");
}

/* "accept", "jump CHAIN" and "goto CHAIN". */
static void read_verdict(const struct nlattr *expressions,
			 struct nft_rule *rule)
{
	const struct nlattr *expr, *verdict, *chain, *code;

	mnl_attr_for_each_nested (expr, expressions) {
		if (!is_immediate(expr))
			continue;
		verdict = find_nested(expr, NFTA_EXPR_DATA);
		verdict = find_nested(verdict, NFTA_IMMEDIATE_DATA);
		verdict = find_nested(verdict, NFTA_DATA_VERDICT);
		code = find_nested(verdict, NFTA_VERDICT_CODE);
		if (code && !mnl_attr_validate(code, MNL_TYPE_U32))
			rule->accepts =
				ntohl(mnl_attr_get_u32(code)) == NF_ACCEPT;
		chain = find_nested(verdict, NFTA_VERDICT_CHAIN);
		if (chain && !mnl_attr_validate(chain, MNL_TYPE_NUL_STRING))
			snprintf(rule->target, sizeof(rule->target), "%s",
				 mnl_attr_get_str(chain));
	}
}

/* Only a few attributes: what a rule does may be of a kind that libnftnl does
 * not know. */
static int read_rule(const struct nlattr *attr, void *arg)
{
	struct nft_rule *rule = arg;

	if (mnl_attr_get_type(attr) == NFTA_RULE_HANDLE &&
	    !mnl_attr_validate(attr, MNL_TYPE_U64))
		rule->handle = be64toh(mnl_attr_get_u64(attr));
	if (mnl_attr_get_type(attr) == NFTA_RULE_USERDATA)
		nftnl_udata_parse(mnl_attr_get_payload(attr),
				  mnl_attr_get_payload_len(attr),
				  find_rule_comment, rule);
	if (mnl_attr_get_type(attr) == NFTA_RULE_EXPRESSIONS)
		read_verdict(attr, rule);
	return MNL_CB_OK;
}

static int rules_reply(const struct nlmsghdr *msg, void *arg)
{
	struct rule_list *list = arg;

	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		struct nft_rule *v = arena_array(list->arena, room, sizeof(*v));

		errno = ENOMEM;
		if (!v)
			return MNL_CB_ERROR;
		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
		list->room = room;
	}
	return mnl_attr_parse(msg, sizeof(struct nfgenmsg), read_rule,
			      &list->v[list->n++]);
}

int nft_list_rules(struct nft *nft, const char *chain, struct arena *a,
		   struct nft_rule **ret, size_t *ret_n, struct err *e)
{
	struct rule_list list = { .arena = a };
	char buffer[REQUEST_MAX];
	struct nlmsghdr *msg =
		question_init(nft, buffer, NFT_MSG_GETRULE, NLM_F_DUMP);
	int r;

	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, nft->table);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
	r = netfilter_ask(nft->nf, msg, rules_reply, &list);
	*ret = list.v;
	*ret_n = list.n;
	return r == -ENOENT ? 0 : say(r, e, "list nftables rules");
}
