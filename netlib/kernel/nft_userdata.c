// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/nft_userdata.h"

#include <linux/netfilter/nf_tables.h>

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>

#include "kernel/nft.h"

/* A part of a "typeof": what kind of expression (nft's expression.h), and, in a
 * nest that the caller ends, what is particular to it. */
static struct nftnl_udata *begin_typeof(struct nftnl_udata_buf *data,
					uint32_t expression)
{
	nftnl_udata_put_u32(data, NFTNL_UDATA_SET_TYPEOF_EXPR, expression);
	return nftnl_udata_nest_start(data, NFTNL_UDATA_SET_TYPEOF_DATA);
}

/* iifname (nft's meta.c) */
static void put_typeof_iifname(struct nftnl_udata_buf *data, uint8_t nth)
{
	struct nftnl_udata *part = nftnl_udata_nest_start(data, nth),
			   *nest = begin_typeof(data, 9);

	nftnl_udata_put_u32(data, 0, NFT_META_IIFNAME);
	nftnl_udata_nest_end(data, nest);
	nftnl_udata_nest_end(data, part);
}

/* @nh,OFFSET,128 (nft's payload.c: protocol, field, base, offset, length) */
static void put_typeof_header(struct nftnl_udata_buf *data, uint8_t nth,
			      uint32_t offset)
{
	struct nftnl_udata *part = nftnl_udata_nest_start(data, nth),
			   *nest = begin_typeof(data, 7);

	nftnl_udata_put_u32(data, 0, 0);
	nftnl_udata_put_u32(data, 1, 0);
	nftnl_udata_put_u32(data, 2, 2); /* the network layer's */
	nftnl_udata_put_u32(data, 3, offset * 8);
	nftnl_udata_put_u32(data, 4, 128);
	nftnl_udata_nest_end(data, nest);
	nftnl_udata_nest_end(data, part);
}

/* iifname . @nh,OFFSET,128 */
static void put_typeof(struct nftnl_udata_buf *data, uint32_t nh_offset)
{
	struct nftnl_udata *key = nftnl_udata_nest_start(
				   data, NFTNL_UDATA_SET_KEY_TYPEOF),
			   *parts = begin_typeof(data, 13); /* concatenation */

	put_typeof_iifname(data, 0);
	put_typeof_header(data, 1, nh_offset);
	nftnl_udata_nest_end(data, parts);
	nftnl_udata_nest_end(data, key);
}

void nft_put_set_userdata(struct nlmsghdr *msg, const struct nft_set_spec *set)
{
	const uint32_t host_endian =
		set->key[0] == NFT_TYPE_IFNAME && !set->key[1];
	struct nftnl_udata_buf *data;

	if (!host_endian && !set->nh_offset)
		return;
	data = nftnl_udata_buf_alloc(256);
	if (!data)
		return;
	nftnl_udata_put_u32(data, NFTNL_UDATA_SET_KEYBYTEORDER, host_endian);
	if (set->nh_offset)
		put_typeof(data, set->nh_offset);
	mnl_attr_put(msg, NFTA_SET_USERDATA, nftnl_udata_buf_len(data),
		     nftnl_udata_buf_data(data));
	nftnl_udata_buf_free(data);
}
